// Scrolling with an answer that grows, until the reader scrolls up, and again from the end on.

const NEAR = 40;

export class Follow {
  constructor(box, button) {
    this.box = box;
    this.button = button;
    this.on = true;
    this.last = 0;
    box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.grew()).observe(box);
  }

  /** The content may be longer now. */
  grew() {
    if (this.on) this.box.scrollTop = this.box.scrollHeight;
    this.#show();
  }

  toEnd() {
    this.on = true;
    this.grew();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    // Only a reader goes up. What grows meanwhile moves the end away, and not the reader from it.
    if (scrollTop < this.last - 1) this.on = false;
    if (scrollHeight - scrollTop - clientHeight < NEAR) this.on = true;
    this.last = scrollTop;
    this.#show();
  }

  #show() {
    this.button.hidden = this.on;
  }
}
