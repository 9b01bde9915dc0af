import { formatInstant } from '@lockstep/core/instant'
import { expect, test } from 'vitest'
import { examineInbox } from '../src/doctor/inbox.ts'
import { recordSweep } from '../src/store/event-sweeps.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())
const { provider } = world.deps
const NOW = Date.parse('2026-11-28T12:00:00Z') / 1000
const examined = () => examineInbox(world.db, provider, NOW)

test('what is parked is told, and how it is tried again', async () => {
  expect((await examined())[0]).toEqual({ name: 'events', ok: true, detail: '0 wait, none is parked.' })
  const payer = await world.register('plain', '2026-01-10T00:00:00Z')
  await world.deliver()
  await world.pool.query(
    `update provider_event set state = 'parked', outcome = 'gave_up' where id = (
       select id from provider_event where object_id = $1 limit 1)`,
    [payer.customer],
  )
  expect((await examined())[0]).toMatchObject({
    ok: true,
    detail: '1 parked: a person has to look.',
    remedy: expect.stringContaining('lockstep events list --state parked'),
  })
})

test('whether somebody looks for what no webhook brought, and what the last look came to', async () => {
  const swept = { newestEvent: null, missed: 8, relistedAt: null }
  const [recent, old] = [NOW - 1800, NOW - 4 * 86_400]
  await recordSweep(world.db, provider, { ...swept, sweptTo: old })
  expect((await examined())[1]).toMatchObject({
    detail: expect.stringContaining(`The last one began at ${formatInstant(old)}`),
    remedy: expect.stringContaining('worker'),
  })
  await recordSweep(world.db, provider, { ...swept, sweptTo: recent, relistedAt: recent })
  const [, sweep] = await examined()
  expect(sweep?.detail).toContain('no webhook had brought 8 of its events')
  expect(sweep?.detail).toContain(`At ${formatInstant(recent)} every object was read`)
  expect(sweep?.remedy).toBeUndefined()
})
