import { hash } from 'node:crypto'
import { formatQuantity } from '@lockstep/core/quantity'
import type { UsageEvent } from '@lockstep/core/usage-event'
import type { GroupValues } from '@lockstep/core/usage-group'

/** Hashes are kept as `uuid`: 16 bytes, here as so many characters of Latin-1, which are compared like bytes. */
export type Hash = string

const HASH_BYTES = 16

/** As hexadecimal digits, which Postgres reads as a `uuid`. */
export const hexOf = (hash: Hash): string => Buffer.from(hash, 'latin1').toString('hex')

/** From Postgres' hexadecimal digits, with a `uuid`'s hyphens or without; several hashes one after the other too. */
export const hashOf = (hex: string): Hash => Buffer.from(hex.replaceAll('-', ''), 'hex').toString('latin1')

/** Which event it is, for ever: the same source and id are the same event, whatever else it says. */
export function identityOf({ source, id }: Pick<UsageEvent, 'source' | 'id'>): Hash {
  return digest(prefixed(source) + prefixed(id))
}

/** The first three bytes of an identity as a number: compared faster, and in the order of identities. */
export function rankOf(identity: Hash): number {
  const [a, b, c] = [identity.charCodeAt(0), identity.charCodeAt(1), identity.charCodeAt(2)]
  return (a << 16) | (b << 8) | c
}

/**
 * What the event says, so that a repetition can be told from a conflict. By meaning, not by spelling:
 * `1.50` is 1.5, 10:00+01:00 is 09:00Z, and the order of the data's names does not count.
 */
export function bodyHashOf(
  { type, subject, time }: Pick<UsageEvent, 'type' | 'subject' | 'time'>,
  { fraction, quantityText, dataText }: { fraction: string; quantityText: string; dataText: string },
): Hash {
  return digest(`${prefixed(type)}${prefixed(subject)}${time}.${fraction} ${quantityText} ${dataText}`)
}

/** The shortest text of its quantity, which mostly is the one that was sent. */
export function quantityTextOf({ quantity, data }: Pick<UsageEvent, 'quantity' | 'data'>): string {
  const sent = data.quantity
  const isShortest =
    typeof sent === 'string' && !sent.startsWith('-') && !(sent.endsWith('0') && sent.includes('.'))
  return isShortest ? sent : formatQuantity(quantity)
}

/** The event's data as JSON with sorted names. The quantity has a column of its own. */
export function dataTextOf(data: UsageEvent['data']): string {
  const names = sortedNames(data)
  if (!names.every(beginsWithLetter)) return `{${names.map((name) => memberOf(data, name)).join(',')}}`
  const sorted: Record<string, unknown> = {}
  for (const name of names) sorted[name] = data[name]
  return JSON.stringify(sorted)
}

const memberOf = (data: UsageEvent['data'], name: string) =>
  `${JSON.stringify(name)}:${JSON.stringify(data[name])}`

/** Then an object keeps it where it was put. Numbers it would move to the front, and `__proto__` is no name. */
const beginsWithLetter = (name: string) => /^[a-z]/i.test(name)

/**
 * All but the quantity's, in the order of their UTF-16 code units. A few are put in their places in less
 * time than `sort` takes to begin.
 */
function sortedNames(data: UsageEvent['data']): string[] {
  const names = Object.keys(data).filter((name) => name !== 'quantity')
  if (names.length > FEW_NAMES) return names.sort()
  for (let i = 1; i < names.length; i += 1) {
    const name = names[i] ?? ''
    let at = i
    for (; at > 0 && (names[at - 1] ?? '') > name; at -= 1) names[at] = names[at - 1] ?? ''
    names[at] = name
  }
  return names
}

const FEW_NAMES = 16

/** Digits of the second's fraction, without the zeros at their end: `.250Z` → `25`. */
export function fractionOf(timeText: string): string {
  const point = timeText.indexOf('.')
  if (point === -1) return ''
  let end = point
  for (let i = point + 1; isDigit(timeText.charCodeAt(i)); i += 1) {
    if (timeText[i] !== '0') end = i
  }
  return timeText.slice(point + 1, end + 1)
}

const isDigit = (code: number) => code >= 48 && code <= 57

/** The first 16 bytes of SHA-256 over the text's UTF-8. */
export const digest = (text: string): Hash => hash('sha256', text, 'binary').slice(0, HASH_BYTES)

/** Which group of a meter's usage it is. SQL makes the same in store/usage-group-recount.ts. */
export const groupIdOf = (values: GroupValues): Hash =>
  digest(values.map((value) => (value === null ? '-' : `${Buffer.byteLength(value)}:${value}`)).join(''))

/** With its length before it, no text can run over into the next. */
const prefixed = (text: string) => `${text.length}:${text}`
