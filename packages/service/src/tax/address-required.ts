import { Problem } from '@lockstep/core/problem'

export function addressRequired(): Problem {
  const detail = 'The tax depends on where the customer is: give the address.'
  return new Problem('tax_address_required', detail, {
    faults: [{ pointer: '#/address', code: 'tax_address_required', detail }],
  })
}
