/** A producer that can be asked before what it is made of is loaded. */

import { name } from "./chance.ts"
import type { Loaded, Producer, ProducerOptions } from "./producer.ts"

type Asked = Exclude<keyof Loaded<unknown>, "id" | "pending">

/** `make`: makes it, once what makes it is there. */
export function promised<T>(make: (options: ProducerOptions & { id: string }) => Promise<Loaded<T>>, options: ProducerOptions = {}): Producer<T> {
  const { id = name() } = options
  let made: Loaded<T> | undefined
  /** Records that it was given before that. */
  let held = 0
  const making = make({ ...options, id })
  making.then((it) => (made = it), () => undefined)
  const later =
    <K extends Asked>(name: K, records = 0): Loaded<T>[K] =>
    (...given: never[]): Promise<never> => {
      held += records
      return making.then((it) => (it[name] as (...given: never[]) => Promise<never>)(...given))
    }
  const self: Producer<T> = {
    id,
    get pending() {
      return made ? made.pending : held
    },
    append: later("append", 1),
    write: later("write", 1),
    flush: later("flush"),
    close: later("close"),
    fail: later("fail"),
    writable: () =>
      new WritableStream<T>({
        write: self.write,
        close: async () => void (await self.close()),
        abort: async (reason) => void (await self.fail("aborted", reason && String(reason))),
      }),
    [Symbol.asyncDispose]: later(Symbol.asyncDispose),
  }
  return self
}
