/** Standard Schema (standardschema.dev), which zod, valibot, arktype and others are. */

import { HeadwaterError } from "./errors.ts"

export interface StandardSchema<T> {
  readonly "~standard": {
    readonly version: 1
    readonly vendor: string
    validate(value: unknown): SchemaResult<T> | Promise<SchemaResult<T>>
    readonly types?: { readonly input: unknown; readonly output: T } | undefined
  }
}

export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

function accept<T>(result: SchemaResult<T>): T {
  if (!result.issues) return result.value
  const told = result.issues.map((issue) => issue.message).join("; ")
  throw new HeadwaterError("bad-record", told, { facts: { issues: result.issues } })
}

/** A decoder whose values the schema checks; it throws what is refused. */
export const checked =
  <T, A extends unknown[]>(schema: StandardSchema<T>, decode: (...given: A) => unknown) =>
  (...given: A): T | Promise<T> => {
    const result = schema["~standard"].validate(decode(...given))
    return result instanceof Promise ? result.then(accept) : accept(result)
  }
