import type { Seller } from '../seller.ts'
import type { Reader } from './reader.ts'

export function readSeller(reader: Reader): Seller {
  const seller = {
    name: reader.text('name'),
    address: reader.optionalText('address'),
    email: reader.optionalText('email'),
    taxId: reader.optionalText('taxId'),
    terms: reader.has('terms') ? readTerms(reader.object('terms')) : null,
  }
  reader.end()
  return seller
}

function readTerms(reader: Reader): Seller['terms'] {
  const terms = { version: reader.text('version'), url: reader.optionalText('url') }
  reader.end()
  return terms
}
