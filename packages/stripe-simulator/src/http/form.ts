import { parse } from 'qs'
import type { Raw } from './schema.ts'

/**
 * Reads `application/x-www-form-urlencoded` with bracket paths; arrays indexed (`items[0][price]=p`) or
 * appended (`expand[]=customer`). https://docs.stripe.com/api
 */
export function parseForm(text: string): { [key: string]: Raw } {
  if (text === '') return {}
  return parse(text, { depth: 10, arrayLimit: 1000, parameterLimit: 20_000, strictNullHandling: false }) as {
    [key: string]: Raw
  }
}

export function queryOf(url: string): string {
  const mark = url.indexOf('?')
  return mark < 0 ? '' : url.slice(mark + 1)
}

export function pathOf(url: string): string {
  const mark = url.indexOf('?')
  return mark < 0 ? url : url.slice(0, mark)
}
