import { isDeepStrictEqual } from 'node:util'
import type { Db } from '../postgres/connect.ts'
import { type CustomerProfile, updateCustomer } from '../provider/stripe/customers.ts'
import { readProfile } from '../store/customers.ts'
import { providerIdOf } from '../store/mappings.ts'
import { type LookDeps, lookIfDeleted } from './look.ts'

interface Telling {
  /** Added to what is there. */
  readonly metadata?: Readonly<Record<string, string>>
  /** What was never said here stays there as it is, unless the customer was erased; otherwise it is removed there. */
  readonly keepsUnknown?: boolean
}

/**
 * Tells Stripe who a customer is now. Changed again meanwhile, that may have been told before this was, so
 * it is told once more: whoever is last says what stands here. One who was deleted there knows nothing any
 * more, and need not be told.
 */
export async function tellCustomer(
  deps: LookDeps,
  operation: string,
  customer: { readonly id: string; readonly providerId: string },
  { metadata = {}, keepsUnknown = false }: Telling = {},
): Promise<void> {
  const profile = async () => {
    const { name, email, address } = await profileOf(deps.db, customer.id)
    const isKept = (value: string | null) => keepsUnknown && value === null && address !== 'erased'
    return { ...(!isKept(name) && { name }), ...(!isKept(email) && { email }), address }
  }
  let known = await profile()
  for (let times = 1; ; times += 1) {
    const told = known
    try {
      await updateCustomer(deps, `${operation}/${times}`, customer, { ...told, metadata })
    } catch (error) {
      await lookIfDeleted(deps, error, customer.id)
      if ((await providerIdOf(deps.db, 'customer', customer.id)) === undefined) return
      throw error
    }
    known = await profile()
    if (isDeepStrictEqual(known, told)) return
  }
}

async function profileOf(db: Db, customerId: string): Promise<Required<Omit<CustomerProfile, 'metadata'>>> {
  const profile = await readProfile(db, customerId)
  return profile ?? { name: null, email: null, address: 'erased' }
}
