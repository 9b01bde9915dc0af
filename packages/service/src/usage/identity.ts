import { hash } from 'node:crypto'
import { formatQuantity } from '@lockstep/core/quantity'
import type { UsageEvent } from '@lockstep/core/usage-event'

/** Hashes are kept as `uuid`: 16 bytes, here as 32 hexadecimal digits. */
export type Hash = string

/** Which event it is, for ever: the same source and id are the same event, whatever else it says. */
export function identityOf({ source, id }: Pick<UsageEvent, 'source' | 'id'>): Hash {
  return digest(prefixed(source) + prefixed(id))
}

/**
 * What the event says, so that a repetition can be told from a conflict. By meaning, not by spelling:
 * `1.50` is 1.5, 10:00+01:00 is 09:00Z, and the order of the data's names does not count.
 */
export function bodyHashOf(event: UsageEvent, fraction: string, dataText: string): Hash {
  const { type, subject, time, quantity } = event
  return digest(
    `${prefixed(type)}${prefixed(subject)}${time}.${fraction} ${formatQuantity(quantity)} ${dataText}`,
  )
}

/** The event's data as JSON with sorted names. The quantity has a column of its own. */
export function dataTextOf(data: UsageEvent['data']): string {
  const names = Object.keys(data)
  if (!isSorted(names)) names.sort()
  let text = ''
  for (const name of names) {
    if (name === 'quantity') continue
    text += `${text === '' ? '{' : ','}${JSON.stringify(name)}:${JSON.stringify(data[name])}`
  }
  return text === '' ? '{}' : `${text}}`
}

/** Most producers write the same few names in the same order, so sorting would mostly be for nothing. */
function isSorted(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i += 1) if ((names[i - 1] ?? '') > (names[i] ?? '')) return false
  return true
}

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

const digest = (text: string): Hash => hash('sha256', text, 'hex').slice(0, 32)

/** With its length before it, no text can run over into the next. */
const prefixed = (text: string) => `${text.length}:${text}`
