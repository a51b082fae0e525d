/** Components that are mounted without a page; what React complains of fails the test. */

import assert from "node:assert/strict"
import { type ReactNode, StrictMode, createElement } from "react"
import { type ReactTestRenderer, act, create } from "react-test-renderer"
import { type World, settle } from "./world.ts"

// With it the renderer does not say that there is a better one for pages: there is none without a page.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true, IS_REACT_NATIVE_TEST_ENVIRONMENT: true })

const complaints: unknown[][] = []
console.error = (...all) => void complaints.push(all)

export class Screen {
  readonly world: World
  #renderer: ReactTestRenderer | undefined

  constructor(world: World) {
    this.world = world
  }

  /** Mounts, or renders again. */
  async show(element: ReactNode, { isStrict = false }: { isStrict?: boolean } = {}): Promise<void> {
    const all = isStrict ? createElement(StrictMode, null, element) : element
    await act(async () => {
      if (this.#renderer) this.#renderer.update(all as never)
      else this.#renderer = create(all as never, { unstable_isConcurrent: true } as never)
    })
    await this.pass(0)
  }

  async pass(ms: number): Promise<void> {
    await this.run(() => this.world.pass(ms))
  }

  /** Something happens, and all that follows at once, in so many turns of the loop. */
  async run(call: () => unknown, turns: number = 12): Promise<void> {
    await act(async () => {
      await call()
      for (let turn = 0; turn < turns; turn += 1) await settle()
    })
    assert.deepEqual(complaints.splice(0), [])
  }

  async unmount(): Promise<void> {
    await act(async () => this.#renderer?.unmount())
    await this.pass(0)
  }
}
