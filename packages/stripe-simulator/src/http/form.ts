import { parse } from 'qs'
import type { Raw } from './schema.ts'

/** A key of metadata may be called `constructor`; `__proto__` is left out all the same. */
const OPTIONS = { depth: 10, arrayLimit: 1000, parameterLimit: 20_000, allowPrototypes: true } as const

/**
 * Reads `application/x-www-form-urlencoded` with bracket paths; lists indexed in any order
 * (`items[0][price]=p`) or appended to (`expand[]=customer`). https://docs.stripe.com/api
 */
export function parseForm(text: string): { [key: string]: Raw } {
  return text === '' ? {} : (parse(text, OPTIONS) as { [key: string]: Raw })
}

export function queryOf(url: string): string {
  const mark = url.indexOf('?')
  return mark < 0 ? '' : url.slice(mark + 1)
}

export function pathOf(url: string): string {
  const mark = url.indexOf('?')
  return mark < 0 ? url : url.slice(0, mark)
}
