import * as api from '@lockstep/api/test-clocks'
import { formatInstant } from '@lockstep/core/instant'
import { Problem } from '@lockstep/core/problem'
import type { Clock } from '../../clock.ts'
import type { Db } from '../../postgres/connect.ts'
import type { Provider } from '../../provider/stripe/account.ts'
import { pageOf } from '../../store/page.ts'
import { listTestClocks, readTestClock, type TestClock } from '../../store/test-clocks.ts'
import { beginAdvanceOf } from '../../workflow/advance-clock.ts'
import { newTestClock } from '../../workflow/make-test-clock.ts'
import type { Workflows } from '../../workflow/workflows.ts'
import { readInstant } from '../read-instant.ts'
import { type App, route } from '../route.ts'

interface TestClockParts {
  readonly db: Db
  readonly clock: Clock
  readonly provider: Provider
  readonly workflows: Workflows
}

/** Times of their own for some customers; in test mode only. */
export function testClockRoutes(app: App, parts: TestClockParts): void {
  const { db, provider } = parts

  route(
    app,
    api.listTestClocks,
  )(async ({ query }) => {
    const page = await pageOf(query.limit, (limit) => listTestClocks(db, { ...query, limit }))
    return { status: 200, body: { ...page, data: page.data.map(testClockToApi) } }
  })

  route(
    app,
    api.readTestClock,
  )(async ({ params }) => ({
    status: 200,
    body: testClockToApi(await existing(db, params.id)),
  }))

  route(
    app,
    api.createTestClock,
  )(async ({ body, operation }) => {
    refuseLive(provider)
    const wanted = { name: body.name ?? null, frozenTime: readInstant(body.frozenTime) }
    return { status: 201, body: testClockToApi(await newTestClock(parts, wanted, operation)) }
  })

  route(
    app,
    api.advanceTestClock,
  )(async ({ params, body }) => {
    refuseLive(provider)
    await beginAdvanceOf(parts, await existing(db, params.id), readInstant(body.frozenTime))
    return { status: 202, body: testClockToApi(await existing(db, params.id)) }
  })
}

async function existing(db: Db, id: string): Promise<TestClock> {
  const testClock = await readTestClock(db, id)
  if (!testClock) throw new Problem('test_clock_not_found', `There is no test clock ${id}.`)
  return testClock
}

function refuseLive({ livemode }: Provider): void {
  if (livemode) throw new Problem('live_mode_refused', 'There are no test clocks in live mode.')
}

function testClockToApi({ id, name, providerId, frozenAt, advancingTo, createdAt }: TestClock) {
  return {
    id,
    name,
    frozenTime: formatInstant(frozenAt),
    status: advancingTo === null ? ('ready' as const) : ('advancing' as const),
    target: advancingTo === null ? null : formatInstant(advancingTo),
    providerId,
    createdAt: formatInstant(createdAt),
  }
}
