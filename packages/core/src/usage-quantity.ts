import { parseQuantity, type Quantity, units } from './quantity.ts'

/**
 * Reads the quantity of one event: decimal text, or a JSON number that is exact by itself. Whether it
 * may be negative is for its meter to say (`checkMeter`). The text answer is the sentence that tells the
 * sender what is wrong with it.
 */
export function readQuantity(value: unknown): Quantity | string {
  if (typeof value === 'string') return readText(value)
  if (typeof value === 'number') return readNumber(value)
  return `A quantity is decimal text or a whole number, not ${kindOf(value)}.`
}

function readText(text: string): Quantity | string {
  const quantity = parseQuantity(text)
  if (quantity !== undefined) return quantity
  if (text === '') return 'The quantity is empty.'
  if (/^-?[0-9]+(\.[0-9]+)?$/.test(text)) {
    const [whole = '', fraction = ''] = text.replace('-', '').split('.')
    if (whole.length > 1 && whole.startsWith('0')) {
      return `A quantity has no leading zeros: ${quote(text)}.`
    }
    if (fraction.length > 9) return `A quantity has at most 9 digits after the point: ${quote(text)}.`
    return `A quantity has at most 15 digits before the point: ${quote(text)}.`
  }
  if (/^[+-]?[0-9.]+e[+-]?[0-9]+$/i.test(text)) {
    return `A quantity has no exponent: ${quote(text)}. Write all its digits.`
  }
  return `A quantity is written in plain digits, like 12 or 0.5: ${quote(text)} is not.`
}

function readNumber(number: number): Quantity | string {
  if (!Number.isFinite(number)) return `A quantity is a finite number, not ${number}.`
  if (!Number.isInteger(number)) {
    return `A JSON number with a fraction is not exact. Send it as text: "${number}".`
  }
  if (!Number.isSafeInteger(number)) {
    return 'A JSON number over 9007199254740991 may have lost digits. Send it as text.'
  }
  // A safe integer can have 16 digits, one more than a quantity holds.
  const quantity = units(BigInt(number))
  return parseQuantity(`${number}`) === undefined
    ? `A quantity has at most 15 digits before the point: ${number}.`
    : quantity
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** JSON text, so that spaces and control characters can be seen, and not too much of it. */
function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}
