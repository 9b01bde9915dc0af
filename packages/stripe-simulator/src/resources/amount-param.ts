import { invalid } from '../errors.ts'
import { integer, type Kind } from '../http/schema.ts'

/** What one unit or one tier costs, in the minor unit: whole, and nothing at least. */
export const amount: Kind<number> = {
  parse(raw, path) {
    const value = integer().parse(raw, path)
    if (value < 0) throw invalid('Invalid non-negative integer', path)
    return value
  },
}

/**
 * Nothing at least, with so many decimals at most, as text: rules/decimal.ts makes it exact. The sentences, with the
 * numbers as Ruby prints them, as recorded: github.com/crvouga/mockingbird, packages/service/stripe/src/fields.ts.
 */
export function scaledDecimal(most: number): Kind<string> {
  return {
    parse(raw, path) {
      if (typeof raw !== 'string' || !/^-?\d{1,15}(\.\d+)?$/.test(raw)) {
        throw invalid(`Invalid decimal: ${typeof raw === 'string' ? raw : JSON.stringify(raw)}`, path)
      }
      const places = raw.split('.')[1]?.length ?? 0
      if (places > most) {
        throw invalid(
          `Invalid decimal: ${scientific(raw)}; must contain at most ${most} decimal places.`,
          path,
        )
      }
      if (/^-.*[1-9]/.test(raw)) {
        throw invalid(
          `This value must be greater than or equal to 0 (it currently is '${scientific(raw)}').`,
          path,
        )
      }
      return raw.replace('-', '')
    },
  }
}

/** What one unit or one tier costs, finer than the minor unit. */
export const decimalAmount = scaledDecimal(12)

/** `-1.5` is `-0.15e1`, `0.05` is `0.5e-1`. */
function scientific(text: string): string {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  if (digits === '') return '0.0'
  const exponent = digits.length - fraction.length
  return `${text.startsWith('-') ? '-' : ''}0.${digits.replace(/0+$/, '')}e${exponent}`
}
