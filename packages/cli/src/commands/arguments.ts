import { parseInstant } from '@lockstep/core/instant'
import { InvalidArgumentError } from 'commander'

/** What `findCustomer` takes. */
export const CUSTOMER = "a customer's id, or your own id of it"

/** What `findSubscription` takes. */
export const SUBSCRIPTION = "its id, or whose it is: the customer's id, or your own"

export function parseCount(text: string): number {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError('Give a whole number from 1.')
  return count
}

/** RFC 3339, or a day, which is its first second in UTC. */
export function parseTime(text: string): string {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text
  if (parseInstant(time) === undefined) {
    throw new InvalidArgumentError('Write it like 2026-02-28 or 2026-02-28T09:30:00Z.')
  }
  return time
}

/** For options that may be given several times. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

/** Hundredths; may be given several times. */
export function collectPercent(text: string, before: readonly number[] = []): number[] {
  return [...before, parseCount(text.replace(/ ?%$/, ''))]
}

export interface WantedAddon {
  readonly addon: string
  readonly quantity: number
}

/** `backups` is one of it, `backups=3` three; may be given several times. */
export function collectAddon(text: string, before: readonly WantedAddon[] = []): WantedAddon[] {
  const [addon = '', number = '1', ...more] = text.split('=')
  if (more.length > 0) throw new InvalidArgumentError('Write it as a key, or as key=number.')
  return [...before, { addon, quantity: parseCount(number) }]
}

/** `team=blue`: what comes after the first equals sign is the value. May be given several times. */
export function collectEntry(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [name = ''] = text.split('=', 1)
  if (name === '' || name === text) throw new InvalidArgumentError('Write it as name=value.')
  return { ...before, [name]: text.slice(name.length + 1) }
}

export async function firstOf<T>(list: AsyncIterable<T>, limit: number): Promise<T[]> {
  const items: T[] = []
  for await (const item of list) {
    items.push(item)
    if (items.length === limit) break
  }
  return items
}
