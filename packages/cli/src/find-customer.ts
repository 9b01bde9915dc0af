import type { Client, Customer } from '@lockstep/sdk'
import { ProblemError } from '@lockstep/sdk/problem-error'

/** A customer by our id, or by the application's own. */
export async function findCustomer(client: Client, idOrExternalId: string): Promise<Customer> {
  const known = await client.customers.list({ externalId: idOrExternalId, limit: 1 }).first()
  if (known) return known
  try {
    return await client.customers.read(idOrExternalId)
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'customer_not_found') throw error
    throw new ProblemError({
      type: error.type,
      title: error.title,
      status: error.status,
      code: error.code,
      detail: `Neither an id nor an external id: ${idOrExternalId}`,
    })
  }
}
