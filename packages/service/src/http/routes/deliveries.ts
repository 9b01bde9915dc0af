import * as api from '@lockstep/api/deliveries'
import { scopesToTell } from '@lockstep/api/told-scopes'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../../clock.ts'
import type { Db } from '../../postgres/connect.ts'
import {
  type DeliveryWithLog,
  type ListedDelivery,
  listDeliveries,
  readDelivery,
  requeueDelivery,
} from '../../store/deliveries.ts'
import { pageOf } from '../../store/page.ts'
import { holds } from '../caller.ts'
import { type App, route } from '../route.ts'

/** The log of what was sent to webhook endpoints, and the way to send one again. */
export function deliveryRoutes(app: App, { db, clock }: { readonly db: Db; readonly clock: Clock }): void {
  route(
    app,
    api.listDeliveries,
  )(async ({ query }) => {
    const page = await pageOf(query.limit, (limit) => listDeliveries(db, { ...query, limit }))
    return { status: 200, body: { ...page, data: page.data.map(deliveryToApi) } }
  })

  route(
    app,
    api.readDelivery,
  )(async ({ params, caller }) => {
    const delivery = await existing(db, params.id)
    const mayRead = scopesToTell([delivery.type]).every((scope) => holds(caller, scope))
    const log = delivery.log.map(({ at, status, body, problem, durationMs }) => ({
      at: formatInstant(at),
      ...{ status, body, problem, durationMs },
    }))
    return {
      status: 200,
      body: { ...deliveryToApi(delivery), data: mayRead ? { ...delivery.data } : null, log },
    }
  })

  route(
    app,
    api.retryDelivery,
  )(async ({ params }) => {
    await requeueDelivery(db, params.id, clock.now())
    return { status: 202, body: deliveryToApi(await existing(db, params.id)) }
  })
}

async function existing(db: Db, id: string): Promise<DeliveryWithLog> {
  const delivery = await readDelivery(db, id)
  if (!delivery) throw new Problem('delivery_not_found', `There is no delivery ${id}.`)
  return delivery
}

function deliveryToApi(delivery: ListedDelivery) {
  const { id, endpointId, eventId, type, subjectId, customerId, state, attempts, lastStatus } = delivery
  const isDue = state === 'waiting' && delivery.endpointState === 'enabled'
  return {
    id,
    endpoint: endpointId,
    url: delivery.url,
    event: eventId,
    type,
    subject: subjectId,
    customer: customerId,
    happenedAt: formatInstant(delivery.happenedAt),
    state,
    attempts,
    lastStatus,
    nextAttemptAt: isDue ? formatInstant(delivery.nextAttemptAt) : null,
    deliveredAt: maybe(delivery.deliveredAt),
    createdAt: formatInstant(delivery.createdAt),
  }
}

const maybe = (at: Instant | null) => (at === null ? null : formatInstant(at))
