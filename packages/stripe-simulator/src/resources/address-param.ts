import { type Kind, shape, text } from '../http/schema.ts'
import { type WholeAddress, whole } from '../rules/whole-address.ts'

const said = shape({
  city: text(),
  country: text(),
  line1: text(),
  line2: text(),
  postal_code: text(),
  state: text(),
})

/** An address takes the place of the one that was there, with every line of it. https://docs.stripe.com/api/customers/create#create_customer-address */
export const address: Kind<WholeAddress> & Pick<typeof said, 'fields'> = {
  fields: said.fields,
  parse: (raw, path) => whole(said.parse(raw, path)),
}
