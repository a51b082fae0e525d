/** Records in IndexedDB: they survive reloads and restarts. */

import { causedBy, stopped } from "../errors.ts"
import { type Kept, type Note, type Numbers, type OutboxStore, full } from "./store.ts"

const asked = <R>(request: IDBRequest<R>): Promise<R> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

/** What the platform throws in private windows, on a full disk, and where there is no IndexedDB. */
async function guarded<R>(call: () => Promise<R>): Promise<R> {
  try {
    return await call()
  } catch (cause) {
    throw causedBy(cause, "outbox-storage", "IndexedDB failed (a full disk, a private window?)")
  }
}

export async function indexedDb(database: string, hear: (note: Note) => void): Promise<OutboxStore> {
  const db = await guarded(() => {
    const request = indexedDB.open(database, 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore("records", { keyPath: "key", autoIncrement: true })
      request.result.createObjectStore("state")
    }
    return asked(request)
  })
  const { locks, storage } = navigator
  const channel = new BroadcastChannel(database)
  // Else another tab could not delete it at sign-out.
  db.onversionchange = () => db.close()
  channel.onmessage = ({ data }) => hear(data as Note)

  /** One step, on the disk before it is said to be done: a number that is forgotten would be given to another batch. */
  const step = <R>(mode: IDBTransactionMode, work: (state: IDBObjectStore, records: IDBObjectStore) => Promise<R>): Promise<R> =>
    guarded(async () => {
      const transaction = db.transaction(["records", "state"], mode, { durability: "strict" })
      const done = new Promise((resolve, reject) => {
        transaction.oncomplete = resolve
        transaction.onabort = () => reject(transaction.error)
      })
      // A request that fails undoes all of it; what throws by itself does so before it has written.
      const [result] = await Promise.all([work(transaction.objectStore("state"), transaction.objectStore("records")), done])
      return result
    })
  const numbers = async (state: IDBObjectStore, url: string): Promise<Numbers> => (await asked(state.get(`/${url}`))) ?? [0, 0]

  return {
    identify: (id) =>
      step("readwrite", async (state) => {
        const known = (await asked(state.get("id"))) ?? id
        state.put(known, "id")
        return known as string
      }),
    add: (record, most) =>
      step("readwrite", async (state, records) => {
        const size = ((await asked(state.get("size"))) ?? 0) + record.body.length
        if (size > most) throw full(most)
        state.put(size, "size")
        return (await asked(records.add(record))) as number
      }),
    since: (key) => step("readonly", (_, records) => asked(records.getAll(IDBKeyRange.lowerBound(key, true))) as Promise<Kept[]>),
    next: (url) => step("readonly", (state) => numbers(state, url)),
    change: ({ id, url, last, next, put = [], drop = [] }) =>
      step("readwrite", async (state, records) => {
        const size = (await asked(state.get("size"))) as number
        if ((await asked(state.get("id"))) !== id || `${await numbers(state, url)}` !== `${last}`) throw stopped("another one sends")
        state.put(next, `/${url}`)
        for (const record of put) records.put(record)
        for (const { key } of drop) records.delete(key)
        state.put(drop.reduce((left, { body }) => left - body.length, size), "size")
      }),
    clear: async () => {
      await step("readwrite", async (state, records) => {
        records.clear()
        state.clear()
      })
      // So that the name goes, too; what was in it is gone.
      db.close()
      indexedDB.deleteDatabase(database)
    },
    turn: async (signal, run) => (locks ? locks.request(database, { signal }, run) : run()),
    tell: (note) => channel.postMessage(note),
    durable: async () => (await storage?.persist?.()) ?? false,
    close: () => {
      channel.close()
      db.close()
    },
  }
}
