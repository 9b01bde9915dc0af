import { connect } from '@lockstep/service/postgres/connect'
import { smallCatalog } from '../../packages/service/test/support/catalogs.ts'
import {
  type Installation,
  newInstallation,
  onDatabase,
} from '../../packages/service/test/support/installation.ts'
import { atRest } from '../support/at-rest.ts'
import type { TestDatabase } from '../support/database.ts'
import { seeded } from '../support/random.ts'
import { newSimulator } from '../support/simulator.ts'
import { checkRegistered } from './check-registered.ts'

export interface TogetherRuns {
  readonly rounds: number
  readonly seed: number
  readonly onRound?: (done: number) => void
}

export interface TogetherVerdict {
  readonly requests: number
  /** One sentence for each promise that was broken. */
  readonly breaches: readonly string[]
}

/** What a request waits for its registration. */
const PATIENCE_SECONDS = 20

async function timed({ ask }: Installation, body: object) {
  const began = performance.now()
  const answer = await ask('POST', '/v1/registrations', body)
  return { ...answer, seconds: (performance.now() - began) / 1000 }
}

/**
 * Double clicks: in each round 2 to 16 identical sign-ups come at once to two processes on one database,
 * each a request of its own. All of them must learn of one registration, and one subscription must stand.
 */
export async function registerTogether({ rounds, seed, onRound }: TogetherRuns): Promise<TogetherVerdict> {
  const random = seeded(seed)
  const simulator = await newSimulator()
  const first = await newInstallation(simulator, smallCatalog)
  const { database, deps } = first
  const connection = connect(database.url, { poolSize: 20 })
  const second = await onDatabase({ ...database, ...connection } as TestDatabase, { ...deps, ...connection })
  const breaches: string[] = []
  let requests = 0
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const externalId = `together_${round}`
      const body = { externalId, plan: 'team', paymentMethod: 'pm_card_visa' }
      const many = 2 + random.below(15)
      const processes = Array.from({ length: many }, () => random.pick<Installation>([first, second]))
      const answers = await Promise.all(processes.map((process) => timed(process, body)))
      requests += many
      // Who waited longer than a person does is told that it is on its way: of the same one.
      const said = new Set(
        answers.map(({ status, body: { id, code } }) => (status === 201 || status === 202 ? id : code)),
      )
      const isOne = said.size === 1 && answers.every(({ status }) => status < 300)
      // So nobody is, who did not wait for as long: the end would have been missed.
      const hasty = answers.filter(({ status, seconds }) => status === 202 && seconds < PATIENCE_SECONDS)
      for (const { seconds } of hasty) breaches.push(`${externalId}: 202 after ${seconds.toFixed(1)} s`)
      if (!isOne) breaches.push(`${externalId}, ${many} at once: ${[...said].join(', ')}`)
      await atRest({ db: database.pool, simulatorUrl: simulator.url })
      const rest = await checkRegistered(first, externalId, { end: 'completed', charges: 1 })
      breaches.push(...rest.breaches)
      if (rest.ended !== 'completed') breaches.push(`${externalId} came to rest ${rest.ended}`)
      onRound?.(round)
    }
  } finally {
    await connection.close()
    await simulator.close()
    await first.close()
  }
  return { requests, breaches }
}
