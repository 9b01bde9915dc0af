import * as api from '@lockstep/api/disputes'
import { formatInstant } from '@lockstep/core/instant'
import { money } from '@lockstep/core/money'
import type { Db } from '../../postgres/connect.ts'
import { type Dispute, listDisputes } from '../../store/disputes.ts'
import { pageOf } from '../../store/page.ts'
import { moneyToApi } from '../money-to-api.ts'
import { type App, route } from '../route.ts'

/** Payments that were taken back by a bank. */
export function disputeRoutes(app: App, { db }: { readonly db: Db }): void {
  route(
    app,
    api.listDisputes,
  )(async ({ query }) => {
    const page = await pageOf(query.limit, (limit) => listDisputes(db, { ...query, limit }))
    return { status: 200, body: { ...page, data: page.data.map(disputeToApi) } }
  })
}

export function disputeToApi({ id, status, reason, ...dispute }: Dispute) {
  return {
    ...{ id, status, reason },
    customer: dispute.customerId,
    invoice: dispute.invoiceId,
    amount: moneyToApi(money(dispute.amount, dispute.currency)),
    respondBy: dispute.respondBy === null ? null : formatInstant(dispute.respondBy),
    providerId: dispute.providerDisputeId,
    createdAt: formatInstant(dispute.createdAt),
  }
}
