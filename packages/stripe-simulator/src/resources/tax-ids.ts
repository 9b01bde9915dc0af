import { invalid, missing } from '../errors.ts'
import type { Expansions } from '../http/expand.ts'
import { page, pageOf, paging } from '../http/list.ts'
import { del, get, nothing, post } from '../http/route.ts'
import { gaps, oneOf, type Params, required, shape, text } from '../http/schema.ts'
import type { CustomerRow, Json, TaxIdRow } from '../rows.ts'
import { taxIdTypes } from '../rules/tax-id-types.ts'
import { checkTaxId, taxIdCountry, verificationOf } from '../rules/tax-ids.ts'
import type { World } from '../world.ts'
import { expandedCustomer } from './expanded.ts'
import { find, liveCustomer } from './lookup.ts'

const URL = '/v1/tax_ids'
const MAX_PER_CUSTOMER = 5

const fields = { type: required(oneOf(taxIdTypes)), value: required(text()) }

export const taxIdParam = shape(fields)

const owner = shape({
  type: required(oneOf(['account', 'application', 'customer', 'self'] as const)),
  customer: text(),
  ...gaps('account', 'customer_account'),
})

/** Tax ids of customers and of the account itself. https://docs.stripe.com/api/tax_ids */
export const taxIdRoutes = [
  post('/v1/customers/:id/tax_ids', taxIdParam, ({ world, params, path }) =>
    createTaxId(world, liveCustomer(world, path()), params),
  ),
  get('/v1/customers/:id/tax_ids/:taxId', nothing, ({ world, path }) =>
    world.render(ofCustomer(world, path(), path('taxId'))),
  ),
  get('/v1/customers/:id/tax_ids', shape(paging), ({ world, params, path }) =>
    listTaxIds(world, liveCustomer(world, path()).id, params),
  ),
  del('/v1/customers/:id/tax_ids/:taxId', nothing, ({ world, path }) =>
    deleteTaxId(world, ofCustomer(world, path(), path('taxId'))),
  ),
  post(URL, shape({ ...fields, owner }), ({ world, params }) => {
    const { owner: of, ...given } = params
    return createTaxId(world, of === undefined ? null : ownerOf(world, of), given)
  }),
  get(`${URL}/:id`, nothing, ({ world, path }) => world.render(find(world.taxIds, 'tax ID', path()))),
  get(URL, shape({ ...paging, owner }), ({ world, params }) => {
    const customer = params.owner === undefined ? null : ownerOf(world, params.owner)
    return page(world.taxIds, params, {
      noun: 'tax ID',
      url: URL,
      where: null,
      matches: (row) => row.customer === (customer?.id ?? null),
      render: (row) => world.render(row),
    })
  }),
  del(`${URL}/:id`, nothing, ({ world, path }) => deleteTaxId(world, find(world.taxIds, 'tax ID', path()))),
]

/** The customer that is meant, or null for the account. */
function ownerOf(world: World, { type, customer }: Params<(typeof owner)['fields']>): CustomerRow | null {
  if (type === 'application' || type === 'account') {
    throw invalid(
      'The simulator does not implement tax IDs of connected accounts.',
      'owner[type]',
      'simulator_gap',
    )
  }
  if ((type === 'customer') !== (customer !== undefined)) {
    throw invalid('`owner[customer]` goes with `owner[type]=customer`.', 'owner[customer]')
  }
  return customer === undefined ? null : liveCustomer(world, customer, 'owner[customer]')
}

/**
 * "Verification is asynchronous": the answer says `pending`, and the register's word follows at once as a change of
 * its own. https://docs.stripe.com/billing/customer/tax-ids#validation
 */
export function createTaxId(
  world: World,
  customer: CustomerRow | null,
  { type, value }: { readonly type: string; readonly value: string },
): Json {
  checkTaxId(type, value, 'value')
  if (customer !== null && world.taxIds.count('customer', customer.id) >= MAX_PER_CUSTOMER) {
    throw invalid(`A customer can have at most ${MAX_PER_CUSTOMER} tax IDs.`)
  }
  const outcome = verificationOf(type, value)
  const pending = outcome === 'unavailable' ? outcome : 'pending'
  const taxId = world.taxIds.insert({
    id: world.ids.next('txi'),
    object: 'tax_id',
    country: taxIdCountry(type, value),
    created: world.now(customer?.own.clock ?? null),
    customer: customer?.id ?? null,
    customer_account: null,
    livemode: false,
    owner:
      customer === null
        ? { customer_account: null, type: 'self' }
        : { customer: customer.id, customer_account: null, type: 'customer' },
    type: type as TaxIdRow['type'],
    value,
    verification: { status: pending, verified_address: null, verified_name: null },
    own: { clock: customer?.own.clock ?? null },
  })
  const shown = world.render(taxId)
  if (customer !== null) world.emit('customer.tax_id.created', taxId)
  if (outcome === pending) return shown
  const answered = world.taxIds.patch(taxId.id, {
    verification: { status: outcome, verified_address: null, verified_name: null },
  })
  if (customer !== null) world.emit('customer.tax_id.updated', answered)
  return shown
}

export function listTaxIds(world: World, customer: string, params: Params<typeof paging>): Json {
  const rows = world.taxIds.by('customer', customer).reverse()
  return pageOf(rows, params, {
    noun: 'tax ID',
    url: `/v1/customers/${customer}/tax_ids`,
    render: (row) => world.render(row),
  })
}

function ofCustomer(world: World, customerId: string, id: string): TaxIdRow {
  const customer = liveCustomer(world, customerId)
  const taxId = find(world.taxIds, 'tax ID', id)
  if (taxId.customer !== customer.id) throw missing('tax ID', id)
  return taxId
}

function deleteTaxId(world: World, taxId: TaxIdRow): Json {
  world.taxIds.delete(taxId.id)
  if (taxId.customer !== null) world.emit('customer.tax_id.deleted', taxId)
  return { id: taxId.id, object: 'tax_id', deleted: true }
}

export const taxIdExpansions: Expansions = {
  tax_id: {
    customer: (world, row) => expandedCustomer(world, row.customer),
  },
}
