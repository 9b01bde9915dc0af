import type { Body } from '@lockstep/api/define-route'
import * as api from '@lockstep/api/subscription-deeds'
import type { Cancellation } from '@lockstep/core/cancellation'
import type { Instant } from '@lockstep/core/instant'
import { money } from '@lockstep/core/money'
import type { Asker } from '@lockstep/core/planned-end'
import { Problem } from '@lockstep/core/problem'
import type { Config } from '../../config.ts'
import type { Db } from '../../postgres/connect.ts'
import { findDeed } from '../../store/subscription-deeds.ts'
import { readSubscription, type Subscription } from '../../store/subscriptions.ts'
import { type CancelResult, cancelSubscription } from '../../workflow/deeds/cancel.ts'
import type { DeedDeps, Settled } from '../../workflow/deeds/deed.ts'
import { previewEnd } from '../../workflow/deeds/end-promise.ts'
import { withheldOf } from '../../workflow/deeds/give-back.ts'
import { pauseSubscription } from '../../workflow/deeds/pause.ts'
import { type ResumeResult, resumeSubscription } from '../../workflow/deeds/resume.ts'
import { type Caller, holds } from '../caller.ts'
import { moneyToApi } from '../money-to-api.ts'
import { readInstant, readInstantIfGiven } from '../read-instant.ts'
import { type App, route } from '../route.ts'
import { cancellationPreviewToApi, withheldToApi } from './cancellation-to-api.ts'
import { endAsShown } from './end-as-shown.ts'
import { subscriptionToApi } from './subscriptions.ts'

interface SubscriptionDeedParts extends DeedDeps {
  readonly config: Pick<Config, 'secrets'>
}

/** What is done to a subscription on somebody's word: ended, taken back, paused. */
export function subscriptionDeedRoutes(app: App, parts: SubscriptionDeedParts): void {
  const { db, clock } = parts
  const deps = { ...parts, secrets: parts.config.secrets }

  route(
    app,
    api.cancelSubscription,
  )(async ({ params, body, caller, operation }) => {
    const subscription = await existing(db, params.id)
    refuseGift(caller, body)
    const wanted = cancellationOf(body)
    const { preview } = body
    // Asked once more after it was begun, there is nothing to hold it against: it is the same deed.
    const isNew = preview !== undefined && (await findDeed(db, operation)) === undefined
    const shown = isNew ? await endAsShown(deps, subscription, wanted, preview) : undefined
    const wish = {
      ...{ subscriptionId: params.id, wanted: shown?.wanted ?? wanted, ...by(caller), operation },
      reason: body.reason ?? (caller.kind === 'user' ? 'customer' : null),
    }
    const settled = await cancelSubscription(parts, wish, shown?.stood)
    return answer({ db, now: clock.now() }, params.id, settled, {
      givenBack: settled.state === 'done' ? settled.result.givenBack : null,
    })
  })

  route(
    app,
    api.previewCancellation,
  )(async ({ params, body, caller }) => {
    const subscription = await existing(db, params.id)
    refuseGift(caller, body)
    const preview = await previewEnd(deps, subscription, cancellationOf(body))
    return { status: 200, body: cancellationPreviewToApi(preview) }
  })

  route(
    app,
    api.resumeSubscription,
  )(async ({ params, caller, operation }) => {
    await existing(db, params.id)
    const wish = { subscriptionId: params.id, ...by(caller), reason: null, operation }
    const settled = await resumeSubscription(parts, wish)
    const toPay = settled.state === 'done' ? (settled.result.toPay ?? null) : null
    return answer({ db, now: clock.now() }, params.id, settled, { toPay })
  })

  route(
    app,
    api.pauseSubscription,
  )(async ({ params, body, caller, operation }) => {
    await existing(db, params.id)
    const wanted = {
      collection: body.collection,
      resumesAt: readInstantIfGiven(body.resumesAt) ?? null,
    }
    const wish = { subscriptionId: params.id, wanted, ...by(caller), reason: null, operation }
    return answer({ db, now: clock.now() }, params.id, await pauseSubscription(parts, wish))
  })
}

function by(caller: Caller): { readonly actor: string; readonly asks: Asker } {
  const asks = caller.kind === 'user' ? 'user' : holds(caller, 'subscriptions:admin') ? 'admin' : 'key'
  return { actor: caller.id, asks }
}

type CancelBody = Body<typeof api.previewCancellation>

function cancellationOf({ when, at, unusedTime }: CancelBody): Cancellation {
  if (at === undefined) return { when: when ?? 'periodEnd', unusedTime }
  if (when === undefined) return { when: readInstant(at), unusedTime }
  const detail = 'Give `when` or `at`, not both.'
  throw new Problem('invalid_request', detail, { faults: [{ pointer: '#/at', code: 'ambiguous', detail }] })
}

/** What was paid is given back by who is responsible for it, not by whoever holds the subscription. */
function refuseGift(caller: Caller, { unusedTime }: CancelBody): void {
  if (unusedTime !== 'keep') refuseUnlessAdmin(caller, 'Unused time is given back by an administrator.')
}

function refuseUnlessAdmin(caller: Caller, why: string): void {
  if (!holds(caller, 'subscriptions:admin'))
    throw new Problem('forbidden', `${why} It takes a key with the scope subscriptions:admin.`)
}

async function existing(db: Db, id: string): Promise<Subscription> {
  const subscription = await readSubscription(db, id)
  if (!subscription) throw new Problem('subscription_not_found', `There is no subscription ${id}.`)
  return subscription
}

async function answer(
  { db, now }: { readonly db: Db; readonly now: Instant },
  id: string,
  { state }: Settled<unknown>,
  {
    givenBack: given = null,
    toPay = null,
  }: Pick<Partial<CancelResult & ResumeResult>, 'givenBack' | 'toPay'> = {},
) {
  const givenBack = given && {
    how: given.how,
    amount: moneyToApi(money(BigInt(given.amount), given.currency)),
    notGivenBack: withheldOf(given).map(withheldToApi),
    problem: given.problem,
  }
  const subscription = subscriptionToApi(await existing(db, id), now)
  const action = toPay && ({ type: 'payInvoice', ...toPay } as const)
  const body = { state: action ? ('requiresAction' as const) : state, subscription, givenBack, action }
  return state === 'running' || action ? ({ status: 202, body } as const) : ({ status: 200, body } as const)
}
