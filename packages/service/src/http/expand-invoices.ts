import type Stripe from 'stripe'
import type { Provider } from '../provider/stripe/account.ts'
import { isOwn } from '../provider/stripe/metadata.ts'
import type { InvoiceRow } from '../store/invoices.ts'
import { readObjects, type SeenObject } from '../store/provider-objects.ts'
import type { LookDeps } from '../workflow/look.ts'
import { type Expansion, mappingToApi } from './expand-mappings.ts'

/**
 * The same invoices, each with its link in the form of the others where the query asks for it. An invoice is not linked
 * by a row of its own: it names the provider's, which is this one's alone.
 */
export async function expandInvoices<T>(
  { db, provider }: Pick<LookDeps, 'db' | 'provider'>,
  { expand }: Expansion,
  invoices: readonly { readonly row: InvoiceRow; readonly shown: T }[],
): Promise<(T | (T & { mappings: ReturnType<typeof mappingToApi>[] }))[]> {
  if (expand === undefined) return invoices.map(({ shown }) => shown)
  const ids = invoices.flatMap(({ row }) => row.providerInvoiceId ?? [])
  const seen = await readObjects(
    db,
    ids.map((id) => ({ type: 'invoice', id })),
  )
  return invoices.map(({ row, shown }) => ({
    ...shown,
    mappings:
      row.providerInvoiceId === null
        ? []
        : [linkOf(provider, row, row.providerInvoiceId, seen.get(`invoice ${row.providerInvoiceId}`))],
  }))
}

/** Both came together when the provider's was made. */
function linkOf(provider: Provider, row: InvoiceRow, providerId: string, seen: SeenObject | undefined) {
  const raw = (seen?.raw ?? {}) as Partial<Stripe.Invoice>
  const { metadata = null } = raw
  return mappingToApi({
    ...{ entityType: 'invoice', entityId: row.id, providerType: 'invoice', providerId },
    livemode: provider.livemode,
    origin: isOwn(provider, { metadata }) ? 'outbound' : 'webhook',
    createdAt: raw.created ?? row.openedAt,
  })
}
