/** A producer that can be asked before what it is made of is loaded. */

import { name } from "./chance.ts"
import { HeadwaterError } from "./errors.ts"
import type { Loaded, Producer, ProducerOptions } from "./producer.ts"

/** `make`: makes it, once what makes it is there. */
export function promised<T>(make: (options: ProducerOptions & { id: string }) => Promise<Loaded<T>>, options: ProducerOptions = {}): Producer<T> {
  const { id = name(), epoch = 0, batchBytes = 1, inFlight = 1 } = options
  if (!id || !(epoch >= 0 && batchBytes > 0 && inFlight > 0)) {
    throw new HeadwaterError("bad-request", "a producer has a name, an epoch from 0 on, and limits above 0")
  }
  let made: Loaded<T> | undefined
  let held = 0
  const making = make({ ...options, id })
  making.then((it) => (made = it), () => undefined)
  const through = <R>(call: (it: Loaded<T>) => Promise<R>): Promise<R> => making.then(call)
  const self: Producer<T> = {
    id,
    get pending() {
      return made ? made.pending : held
    },
    append: (data, given) => (held++, through((it) => it.append(data, given))),
    write: (data) => (held++, through((it) => it.write(data))),
    flush: () => through((it) => it.flush()),
    close: (last) => through((it) => it.close(last)),
    fail: (code, message, last) => through((it) => it.fail(code, message, last)),
    writable: () =>
      new WritableStream<T>({
        write: self.write,
        close: async () => void (await self.close()),
        abort: async (reason) => void (await self.fail("aborted", reason && String(reason))),
      }),
    [Symbol.asyncDispose]: () => through((it) => it[Symbol.asyncDispose]()),
  }
  return self
}
