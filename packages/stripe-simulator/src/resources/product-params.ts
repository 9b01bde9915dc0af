import { invalid } from '../errors.ts'
import { type Kind, list, required, shape, text } from '../http/schema.ts'
import { scaledDecimal } from './amount-param.ts'

// The sentences and limits as recorded by the walks of github.com/crvouga/mockingbird through Stripe's test mode:
// packages/service/stripe/src (params.ts, fields.ts, url.ts) and docs/catalog-coverage.md.

/** Text without the blanks around it; nothing but blanks is empty. */
export function trimmed(maxLength?: number): Kind<string> {
  const kind = text(maxLength)
  return { parse: (raw, path) => kind.parse(typeof raw === 'string' ? raw.trim() : raw, path) }
}

export const unitLabel: Kind<string> = {
  parse(raw, path) {
    const label = text().parse(raw, path)
    if (label.length <= 12) return label
    throw invalid(`Invalid string length: ${label} must be at most 12 characters`, path)
  },
}

/** Of letters, at most 22 characters, none of `<>\"'`. https://docs.stripe.com/api/products/create */
export const statementDescriptor: Kind<string> = {
  parse(raw, path) {
    const descriptor = trimmed().parse(raw, path)
    if (descriptor.length > 22) {
      throw invalid(
        `The statement descriptor must be at most 22 characters. ${descriptor} is ${descriptor.length} characters long.`,
        path,
      )
    }
    const forbidden = /[<>\\"']/.exec(descriptor)?.[0]
    if (forbidden !== undefined) {
      throw invalid(`The statement descriptor cannot include ${forbidden}.`, path)
    }
    if (!/[a-z]/i.test(descriptor)) {
      throw invalid('The statement descriptor must contain at least one Latin character.', path)
    }
    return descriptor
  },
}

const MAX_URL = 2048
const HTTP_URL = /^(?:https?:\/\/)?[\w.~!$&'()*+,;=%@[\]-]+(?::\d*)?(?:[/?#][^\s<>"]*)?$/i
const OTHER_SCHEME = /^(?!https?:\/\/)[a-z][a-z0-9+.-]*:/i

/** An address of a page or a picture: its scheme may be left out, and is http or https. */
export function webAddress(maxLength = MAX_URL): Kind<string> {
  return {
    parse(raw, path) {
      const url = text().parse(raw, path)
      if (url.length > MAX_URL) throw notAUrl(`Invalid URL: URL must be ${MAX_URL} characters or less.`, path)
      if (/[^ -~]/.test(url)) {
        throw notAUrl(
          'Invalid URL: Non-ASCII characters in URLs must be percent-encoded in order for the URL to be valid.',
          path,
        )
      }
      if (!HTTP_URL.test(url) || OTHER_SCHEME.test(url)) throw notAUrl('Not a valid URL', path)
      if (url.length > maxLength) {
        throw invalid(`Invalid string length: please limit to ${maxLength - 1} characters`, path)
      }
      return url
    },
  }
}

function notAUrl(message: string, path: string) {
  return invalid(message, path, 'url_invalid')
}

export const images = list(webAddress(), 8)
export const marketingFeatures = list(shape({ name: required(trimmed(80)) }), 15)

const measure: Kind<number> = {
  parse: (raw, path) => Number(scaledDecimal(2).parse(raw, path)),
}

/** In inches, and the weight in ounces, with two decimals at most. */
export const packageDimensions = shape({
  length: required(measure),
  width: required(measure),
  height: required(measure),
  weight: required(measure),
})
