import { invalid } from '../errors.ts'
import { type Kind, mapOf, text } from '../http/schema.ts'
import { isSupported, supportedCurrencies } from '../rules/currency.ts'

/** A currency that Stripe charges in, sent in any case and kept in lower case. */
export const currency: Kind<string> = {
  parse(raw, path) {
    const value = text().parse(raw, path).toLowerCase()
    if (!isSupported(value)) {
      throw invalid(
        `Invalid currency: ${value}. Stripe currently supports these currencies: ${supportedCurrencies()}`,
        path,
      )
    }
    return value
  },
}

/** An object by currency. Its names are not taken in any case: the words as recorded. */
export function byCurrency<T>(value: Kind<T>): Kind<Record<string, T>> {
  const map = mapOf(currency, value)
  return {
    parse(raw, path) {
      const loud =
        typeof raw === 'object' ? Object.keys(raw).find((name) => name !== name.toLowerCase()) : undefined
      if (loud === undefined) return map.parse(raw, path)
      const message = `Currencies must be lowercase when used as keys in a map. Use \`${loud.toLowerCase()}\` instead of \`${loud}\`.`
      throw invalid(message, path)
    },
  }
}
