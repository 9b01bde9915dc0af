import { exponentOf } from '../currency.ts'
import { type Currency, type Money, parseMoney, parseRate, type Rate, zero } from '../money.ts'
import { parseQuantity, type Quantity, units } from '../quantity.ts'
import type { Reader } from './reader.ts'

/** Ten million million of the minor unit, so that a sum of lines stays within SQL's bigint. */
const MAX_MINOR = 10n ** 13n
const MAX_PICOS = MAX_MINOR * 10n ** 12n

/** Where the currency itself is wrong, amounts cannot be judged and are passed over. */
export type KnownCurrency = Currency | undefined

/** An amount of money in major units, '9.00'; never negative. */
export function readMoney(reader: Reader, field: string, currency: KnownCurrency): Money {
  const text = readDecimalText(reader, field)
  if (text === undefined || currency === undefined) return zero(currency ?? '')
  const amount = parseMoney(text, currency)
  if (amount && amount.minor >= 0n && amount.minor <= MAX_MINOR) return amount
  const detail = `An amount of ${currency} is decimal text without a sign, no finer than its smallest coin: "9${coin(currency)}".`
  reader.refuse(field, 'amount_invalid', detail)
  return zero(currency)
}

/**
 * An amount that others are held against. It is one that can be charged to the coin, because a line that was
 * cut down to it costs exactly that: payment providers take a dinar's thousandths in whole tens.
 */
export function readBound(reader: Reader, field: string, currency: KnownCurrency): Money {
  const amount = readMoney(reader, field, currency)
  if (currency !== undefined && exponentOf(currency) === 3 && amount.minor % 10n !== 0n) {
    const detail = `Of ${currency} this ends in 0: "9.990". Payment providers charge whole tens of its smallest coin.`
    reader.refuse(field, 'amount_invalid', detail)
  }
  return amount
}

/** The price of one unit in major units, '0.0004'; never negative. */
export function readRate(reader: Reader, field: string, currency: KnownCurrency): Rate {
  const text = readDecimalText(reader, field)
  if (text === undefined || currency === undefined) return { picos: 0n, currency: currency ?? '' }
  const rate = parseRate(text, currency)
  if (rate && rate.picos >= 0n && rate.picos <= MAX_PICOS) return rate
  const detail =
    'A unit amount is decimal text without a sign, at most 12 digits finer than the smallest coin.'
  reader.refuse(field, 'amount_invalid', detail)
  return { picos: 0n, currency }
}

/** A quantity above zero: the size of a package, the end of a tier. */
export function readSize(reader: Reader, field: string, { whole }: { whole: boolean }): Quantity {
  const text = readDecimalText(reader, field)
  const size = text === undefined ? undefined : parseQuantity(text)
  if (text === undefined) return units(1n)
  if (size === undefined || size <= 0n) {
    const detail =
      'A size is decimal text above zero, with at most 15 digits before the point and 9 after it.'
    reader.refuse(field, 'quantity_invalid', detail)
    return units(1n)
  }
  if (whole && size % units(1n) !== 0n) {
    reader.refuse(field, 'quantity_invalid', 'Of a price that the provider bills, this is a whole number.')
  }
  return size
}

/** Numbers in code are floats; exact ones are text. */
export function readDecimalText(reader: Reader, field: string): string | undefined {
  const value = reader.raw(field)
  if (typeof value === 'string') return value
  const detail =
    typeof value === 'number' || typeof value === 'bigint'
      ? `Write it as text, which is exact: "${value}".`
      : 'This is decimal text, like "9.00".'
  reader.refuse(field, value === undefined ? 'required' : 'invalid', detail)
  return undefined
}

function coin(currency: Currency): string {
  return parseMoney('0.00', currency) ? '.00' : ''
}
