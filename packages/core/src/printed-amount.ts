import { assert } from './assert.ts'
import { formatMoney, type Money } from './money.ts'
import { formatQuantity, type Quantity } from './quantity.ts'

/** What is written for people is in English: contracts, annexes, explanations, the terminal. */
export const LANGUAGE = 'en'

/** One for each number of decimals: to make one takes far longer than to use it. */
const byDecimals = new Map<number, Intl.NumberFormat>()

/**
 * A number for people to read, `1234.50` as `1,234.50`. Exact: it is read as decimal text, never as a float, and none
 * of its digits is lost or added. What machines read stays as it is.
 * https://tc39.es/ecma402/#sec-intl.numberformat.prototype.format
 */
export function printedDecimal(decimal: string): string {
  const decimals = decimal.split('.')[1]?.length ?? 0
  const known = byDecimals.get(decimals)
  const format =
    known ??
    new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
  if (!known) byDecimals.set(decimals, format)
  const printed = format.format(decimal as Intl.StringNumericLiteral)
  assert(printed !== 'NaN', `not a number: ${decimal}`)
  return printed
}

/** `1,000.5` of a meter's units. */
export function printedQuantity(quantity: Quantity): string {
  return printedDecimal(formatQuantity(quantity))
}

/** With all decimals of its currency: `1,234.50` of usd, `1,235` of jpy, `1,234.500` of kwd. */
export function printedAmount(money: Money): string {
  return printedDecimal(formatMoney(money))
}

/** The same on a document, with what it is in: `1,234.50 USD`. */
export function printedMoney(money: Money): string {
  return `${printedAmount(money)} ${money.currency.toUpperCase()}`
}
