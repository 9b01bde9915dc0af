import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import pg from 'pg'
import Stripe from 'stripe'
import { freePort, startProcess } from '../test/support/process.ts'
import { type Bench, interleave, median, summarize } from './bench.ts'
import { type Account, asItIs, change, makeAccount, toldInSeconds } from './changing-account.ts'
import type { WebhookLoad, WebhookLoadResult } from './load/webhooks.ts'
import { openStage, runProgram } from './stage.ts'

const CONNECTIONS = 16
const PASSES = 3
/** Events of one pass for each second that it may take. */
const EVENTS_A_SECOND = 600
const SECRET = 'whsec_bench'

/** Everything is made at Stripe, and comes in by events alone. */
const INBOUND = {
  LOCKSTEP_DIRECTIONS: 'customer=inbound,plan=inbound,price=inbound,subscription=inbound',
  LOCKSTEP_MISSING_CUSTOMER: 'create',
  LOCKSTEP_MISSING_PLAN: 'create',
  STRIPE_WEBHOOK_SECRET: SECRET,
  STRIPE_API_KEY: 'sk_test_bench',
}

/**
 * Events over HTTP, sixteen on their way, until what they tell is committed in typed rows, against the best-known open
 * mirror: the same events in the same order, each side's state compared with Stripe's afterwards. The mirror answers
 * when its row is written; we answer when the event is stored, and the clock stops when none waits any more.
 */
export const webhooksVsPeer: Bench = {
  name: 'webhooks-vs-peer',
  unit: 'events/s',
  bar: 3,
  run: async ({ seconds, note }) => {
    const stage = await openStage()
    const folder = await mkdtemp(join(tmpdir(), 'lockstep-webhooks-'))
    const [simulatorPort, peerPort] = [await freePort(), await freePort()]
    const simulator = await startProcess('packages/stripe-simulator/src/main.ts', {
      port: simulatorPort,
      args: ['--port', String(simulatorPort)],
    })
    // Its migrations give a function to this role.
    await stage.query(stage.referenceUrl, 'create role postgres')
    const peer = await startProcess('bench/reference/sync-engine.ts', {
      port: peerPort,
      env: { PORT: String(peerPort), DATABASE_URL: stage.referenceUrl, STRIPE_WEBHOOK_SECRET: SECRET },
    })
    const db = new pg.Client({ connectionString: stage.databaseUrl })
    try {
      const service = await stage.startService({ ...INBOUND, STRIPE_API_BASE: simulator.url })
      await db.connect()
      const each = seconds * EVENTS_A_SECOND
      note(`${(PASSES + 2) * each} changes of an account`)
      const account = await makeAccount(
        new Stripe('sk_test_bench', { host: '127.0.0.1', port: simulatorPort, protocol: 'http' }),
      )
      await change(account, (PASSES + 2) * each)
      const told = await toldInSeconds(account, each)
      // What was made and a first portion of changes, a portion for each pass, and one of which all are of one second.
      const first = told.length - (PASSES + 1) * each
      const files = await Promise.all(
        Array.from({ length: PASSES + 2 }, async (_, i) => {
          const [from, to] = [i === 0 ? 0 : first + (i - 1) * each, first + i * each]
          const file = join(folder, `${i}.jsonl`)
          await writeFile(file, told.slice(from, to).join('\n'))
          return file
        }),
      )

      let sent = 0
      const acknowledged: WebhookLoadResult[] = []
      const product = async (portion: number) => {
        const result = await deliver(service.url, files[portion])
        sent += portion === 0 ? first : each
        await untilCommitted(db)
        acknowledged.push(result)
        return each / ((Date.now() - result.startedAtMs) / 1000)
      }
      const answered: WebhookLoadResult[] = []
      const reference = async (portion: number) => {
        const result = await deliver(peer.url, files[portion])
        answered.push(result)
        return each / result.seconds
      }
      note('warming up')
      await reference(0)
      await product(0)
      acknowledged.length = 0
      answered.length = 0

      let [ofProduct, ofReference] = [0, 0]
      const callsBefore = await calls(simulator.url)
      const passes = await interleave(
        () => {
          ofReference += 1
          return reference(ofReference)
        },
        () => {
          ofProduct += 1
          return product(ofProduct)
        },
      )
      const callsApart = (await calls(simulator.url)) - callsBefore
      await reference(PASSES + 1)
      const tied = await product(PASSES + 1)
      const callsTied = (await calls(simulator.url)) - callsBefore - callsApart

      note('comparing')
      const there = await asItIs(account)
      await compareOurs(db, account, there, sent)
      const stale = await staleAtPeer(stage.referenceUrl, account, there)
      const perThousand = (number: number, events: number) => ((number * 1000) / events).toFixed(0)
      const p99 = (list: readonly WebhookLoadResult[]) =>
        median(list.slice(0, PASSES).map(({ acknowledgedP99Ms }) => acknowledgedP99Ms)).toFixed(1)
      return summarize(passes, ({ reference: mirror, product: ours }) => ours / mirror, [
        `answered after, p99: ours ${p99(acknowledged)} ms, the mirror ${p99(answered)} ms`,
        `calls to Stripe per 1,000 events: ours ${perThousand(callsApart, PASSES * each)}, the mirror 0`,
        `all of one second: ours ${tied.toFixed(0)} events/s and ${perThousand(callsTied, each)} calls per 1,000`,
        `other than at Stripe afterwards: ours 0, the mirror ${stale} of ${account.objects.length} objects`,
      ])
    } finally {
      await db.end()
      await peer.stop()
      await simulator.stop()
      await stage.close()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

function deliver(url: string, file = ''): Promise<WebhookLoadResult> {
  const options: WebhookLoad = { url, secret: SECRET, file, connections: CONNECTIONS }
  return runProgram<WebhookLoadResult>('load/webhooks.ts', options)
}

async function untilCommitted(db: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await db.query(
      `select exists (select from provider_event where state = 'received') as waits`,
    )
    if (!rows[0]?.waits) return
    // Looking without a pause would take the processor from those that are looked at.
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function calls(simulatorUrl: string): Promise<number> {
  const answer = await fetch(`${simulatorUrl}/_simulator/requests`)
  const { total } = (await answer.json()) as { total: number }
  return total
}

/** A fast wrong run is a failure. */
async function compareOurs(
  db: pg.Client,
  { objects }: Account,
  there: ReadonlyMap<string, object>,
  sent: number,
): Promise<void> {
  const { rows: held } = await db.query<{ id: string; raw: object }>('select id, raw from provider_object')
  const raws = new Map(held.map(({ id, raw }) => [id, raw]))
  const stale = objects.filter(({ id }) => !isDeepStrictEqual(raws.get(id), there.get(id)))
  const { rows: typed } = await db.query<{ id: string; name: string }>(
    `select m.provider_id as id, p.name from customer_profile p
     join mapping m on m.entity_type = 'customer' and m.entity_id = p.customer_id`,
  )
  const misnamed = typed.filter(({ id, name }) => (there.get(id) as { name?: string }).name !== name)
  const { rows } = await db.query<Record<string, number>>(
    `select (select count(*)::int from provider_event) as events,
       (select count(*)::int from provider_event where state not in ('processed', 'ignored')) as unsettled,
       (select count(*)::int from subscription) as subscriptions,
       (select count(*)::int from invoice where provider_invoice_id is not null) as invoices`,
  )
  const of = (type: string) => objects.filter((object) => object.type === type).length
  const expected = { events: sent, unsettled: 0, subscriptions: of('subscription'), invoices: of('invoice') }
  if (stale.length + misnamed.length > 0 || !isDeepStrictEqual(rows[0], expected))
    throw new Error(
      `${stale.length} stale, ${misnamed.length} misnamed, ${JSON.stringify(rows[0])} and not ${JSON.stringify(expected)}.`,
    )
}

/** Objects of which the mirror does not say what was said of them last. */
async function staleAtPeer(
  url: string,
  { objects }: Account,
  there: ReadonlyMap<string, object>,
): Promise<number> {
  const db = new pg.Client({ connectionString: url })
  await db.connect()
  try {
    const { rows } = await db.query<{ id: string; metadata: { change?: string } | null }>(
      `select id, metadata from stripe.customers union all select id, metadata from stripe.subscriptions
       union all select id, metadata from stripe.invoices`,
    )
    const held = new Map(rows.map(({ id, metadata }) => [id, metadata?.change]))
    const said = (id: string) => (there.get(id) as { metadata?: { change?: string } }).metadata?.change
    return objects.filter(({ id }) => held.get(id) !== said(id)).length
  } finally {
    await db.end()
  }
}
