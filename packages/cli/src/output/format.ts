import { printedDecimal } from '@lockstep/core/printed-amount'
import type { Money } from '@lockstep/sdk'

/** `1,234.50`; the currency stands once, at the head of what is printed. */
export function amountText({ amount }: Money): string {
  return printedDecimal(amount)
}

/** `2026-01-31`, and the time of day where it is not midnight. */
export function instantText(instant: string): string {
  const [day = '', time = ''] = instant.split('T')
  return time === '00:00:00Z' ? day : `${day} ${time.replace(/(:00)?Z$/, '')}`
}

export function periodText({ start, end }: { readonly start: string; readonly end: string }): string {
  return start === end ? instantText(start) : `${instantText(start)} … ${instantText(end)}`
}

/** Of an invoice. The first one of a subscription bills no time that is over: it has a beginning only. */
export function billedText(period: { readonly start: string; readonly end: string }): string {
  return period.start === period.end ? `from ${instantText(period.start)}` : periodText(period)
}

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3))
  const value = bytes / 1000 ** power
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`
}

export function secondsText(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  const [minutes, hours, days] = [60, 3600, 86_400].map((of) => Math.floor(whole / of)) as [
    number,
    number,
    number,
  ]
  if (minutes === 0) return `${whole} s`
  if (hours === 0) return `${minutes} min ${whole % 60} s`
  return days === 0 ? `${hours} h ${minutes % 60} min` : `${days} d ${hours % 24} h`
}

export function countText(count: number): string {
  return printedDecimal(String(count))
}

/** `1 event`, `1,200 events`. */
export function countedText(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** ` × 3`; nothing for one. */
export function timesText(quantity: number): string {
  return quantity === 1 ? '' : ` × ${quantity}`
}
