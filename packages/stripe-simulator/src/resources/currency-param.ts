import { invalid } from '../errors.ts'
import { type Kind, text } from '../http/schema.ts'
import { isSupported } from '../rules/currency.ts'

/** A currency that Stripe charges in, sent in any case and kept in lower case. */
export const currency: Kind<string> = {
  parse(raw, path) {
    const value = text().parse(raw, path).toLowerCase()
    if (!isSupported(value)) throw invalid(`Invalid currency: ${value}.`, path)
    return value
  },
}
