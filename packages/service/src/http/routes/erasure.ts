import { eraseCustomer as erase, deleteCustomer as remove } from '@lockstep/api/customers'
import { Problem } from '@lockstep/core/problem'
import { readCustomer } from '../../store/customers.ts'
import type { PersonalData } from '../../store/erasure.ts'
import type { DeedDeps } from '../../workflow/deeds/deed.ts'
import { deleteCustomer } from '../../workflow/delete-customer.ts'
import { eraseCustomer } from '../../workflow/erase-customer.ts'
import { type App, route } from '../route.ts'

/** Who a customer is, erased on request; what was agreed and billed stays. */
export function erasureRoutes(app: App, parts: DeedDeps): void {
  route(
    app,
    remove,
  )(async ({ params, caller, operation }) => {
    const customer = await readCustomer(parts.db, params.id)
    if (!customer) throw new Problem('customer_not_found', `There is no customer ${params.id}.`)
    const deletion = await deleteCustomer(parts, customer, { operation, actor: caller.id })
    return { status: 200, body: { customer: customer.id, ended: [...deletion.ended], state: deletion.state } }
  })

  route(
    app,
    erase,
  )(async ({ params, query: { dryRun } }) => {
    const customer = await readCustomer(parts.db, params.id)
    if (!customer) throw new Problem('customer_not_found', `There is no customer ${params.id}.`)
    const { found, provider, left } = await eraseCustomer(parts, customer, { dryRun })
    const { profiles, acceptances, requests, providerRows } = found
    const erased = { profiles, acceptances, requests, providerRows }
    const remains = remainsOf(found, provider !== null)
    const paymentMethods = left && { found: [...left.methods], waitsFor: [...left.waitsFor] }
    return { status: 200, body: { customer: customer.id, dryRun, erased, remains, provider, paymentMethods } }
  })
}

function remainsOf({ contracts, invoices }: PersonalData, isAtProvider: boolean) {
  return [
    {
      what: 'contracts',
      count: contracts,
      why: 'Evidence of what was agreed. They name nobody; their chain is still verified.',
    },
    { what: 'invoices', count: invoices, why: 'Books are kept by law. Here they name nobody.' },
    {
      what: 'externalId',
      count: 1,
      why: 'Your own id of the user: whom it stands for is known to your application only.',
    },
    {
      what: 'usage events',
      count: null,
      why: 'Invoices rest on them. What you sent in `data` is kept as long as the event.',
    },
    {
      what: 'answers under idempotency keys',
      count: null,
      why: 'Encrypted under the key of who asked; forgotten after 30 days.',
    },
    ...(isAtProvider
      ? [
          {
            what: 'invoices and payments at the provider',
            count: null,
            why: 'Name and address go from the customer there; what is final keeps them. Redact those in the provider’s dashboard.',
          },
        ]
      : []),
  ]
}
