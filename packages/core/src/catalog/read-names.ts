import type { Reader } from './reader.ts'

const MAX_NAME_LENGTH = 250

/** A list of 1 to `most` different names, in alphabetical order: the order they are written in says nothing. */
export function readNames(reader: Reader, field: string, most: number): string[] {
  const written: unknown = reader.raw(field)
  const list: unknown[] = Array.isArray(written) ? written : []
  const names = list.filter(
    (name) => typeof name === 'string' && name !== '' && name.length <= MAX_NAME_LENGTH,
  )
  const different = [...new Set(names as string[])].sort()
  if (different.length === 0 || different.length > most || different.length !== list.length) {
    reader.refuse(field, 'invalid', `This is a list of 1 to ${most} different names.`)
  }
  return different
}
