/** What is told of a stream beside its records, in whatever words: the controls that all formats have in common. */

import type { Offset, Wire } from "../transport.ts"

/** A control by the name of its event, in the protocol's own fields, with the offset where the reader stands. */
export function controlOf(kind: string, fields: Record<string, unknown>, offset: Offset): Wire {
  return { ...fields, kind, offset, type: fields.content_type, data: fields } as unknown as Wire
}
