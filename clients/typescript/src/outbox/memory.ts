/** Records in memory: for tests, and for programs that are to run where there is no IndexedDB. */

import { stopped } from "../errors.ts"
import { type Kept, type Note, type Numbers, type StoreFactory, full } from "./store.ts"

/** What a database holds. */
export interface Held {
  id?: string
  key: number
  records: Kept[]
  next: Map<string, Numbers>
}

/** Databases by their names; the same factory opens the same ones again. */
export function memory(databases: Map<string, Held> = new Map()): StoreFactory {
  const turns = new Map<string, Promise<void>>()
  const listeners = new Map<string, Set<(note: Note) => void>>()
  return async (database, hear) => {
    const held = (): Held => {
      const known = databases.get(database) ?? { key: 0, records: [], next: new Map() }
      databases.set(database, known)
      return known
    }
    const numbers = (url: string): Numbers => held().next.get(url) ?? [0, 0]
    const others = listeners.get(database) ?? new Set()
    listeners.set(database, others.add(hear))
    return {
      identify: async (id) => (held().id ??= id),
      add: async (record, most) => {
        const { records } = held()
        if (records.reduce((size, { body }) => size + body.length, record.body.length) > most) throw full(most)
        records.push({ ...record, key: (held().key += 1) })
        return held().key
      },
      since: async (key) => held().records.filter((record) => record.key > key),
      next: async (url) => numbers(url),
      change: async ({ id, url, last, next, put = [], drop = [] }) => {
        if (held().id !== id || `${numbers(url)}` !== `${last}`) throw stopped("another one sends")
        held().next.set(url, next)
        const gone = new Set(drop.map(({ key }) => key))
        const changed = new Map(put.map((record) => [record.key, record]))
        held().records = held().records.filter(({ key }) => !gone.has(key)).map((record) => changed.get(record.key) ?? record)
      },
      clear: async () => void databases.delete(database),
      turn: (signal, run) => {
        const turn = (turns.get(database) ?? Promise.resolve()).then(async () => (signal.aborted ? undefined : run()))
        turns.set(database, turn.catch(() => undefined))
        return turn
      },
      tell: (note) => {
        for (const other of others) if (other !== hear) other(structuredClone(note))
      },
      durable: async () => false,
      close: () => void others.delete(hear),
    }
  }
}
