import type { Command } from 'commander'

/** Where the customer is, for the tax: the options of an address, as the API calls its fields. */
export interface AddressFlags {
  readonly country?: string
  readonly state?: string
  readonly city?: string
  readonly postalCode?: string
  readonly line1?: string
  readonly line2?: string
}

export function withAddressOptions(command: Command): Command {
  return command
    .option('--country <code>', 'where the customer is, for the tax: two capital letters')
    .option('--state <text>', 'a state, province or region')
    .option('--city <text>')
    .option('--postal-code <text>')
    .option('--line1 <text>', 'street and number')
    .option('--line2 <text>')
}

/** Undefined where nothing of it is said. A country that is missing is empty: an address has one. */
export function addressOf({ country = '', state, city, postalCode, line1, line2 }: AddressFlags) {
  const address = { country, state, city, postalCode, line1, line2 }
  return Object.values(address).some((part) => part) ? address : undefined
}
