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
export function bodyHashOf(event: UsageEvent, dataText: string): Hash {
  const { type, subject, time, timeText, quantity } = event
  return digest(
    `${prefixed(type)}${prefixed(subject)}${time}.${fractionOf(timeText)} ${formatQuantity(quantity)} ${dataText}`,
  )
}

/** The event's data as JSON with sorted names. The quantity has a column of its own. */
export function dataTextOf(data: UsageEvent['data']): string {
  let text = ''
  for (const name of Object.keys(data).sort()) {
    if (name === 'quantity') continue
    text += `${text === '' ? '{' : ','}${JSON.stringify(name)}:${JSON.stringify(data[name])}`
  }
  return text === '' ? '{}' : `${text}}`
}

/** Microseconds beyond the whole second; finer digits are cut off, as Postgres would round them up. */
export function microsecondsOf(timeText: string): number {
  return Number(fractionOf(timeText).slice(0, 6).padEnd(6, '0'))
}

/** Digits of the second's fraction, without the zeros at their end. */
function fractionOf(timeText: string): string {
  const point = timeText.indexOf('.')
  return point === -1 ? '' : (/^\d*[1-9]/.exec(timeText.slice(point + 1))?.[0] ?? '')
}

const digest = (text: string): Hash => hash('sha256', text, 'hex').slice(0, 32)

/** With its length before it, no text can run over into the next. */
const prefixed = (text: string) => `${text.length}:${text}`
