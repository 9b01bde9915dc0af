import { expect, test } from 'vitest'
import { crashRegistrations } from './registrations.ts'
import { registerTogether } from './together.ts'

// The same matrix, larger and with another seed: npm run faults -- registration --runs 10000 --seed 7
// Long, and as long as the machine needs: what is measured is not the time.
const unhurried = { timeout: 900_000 }

test(
  'in 500 registrations that die and meet a failing Stripe, nothing is made twice and all come to an end',
  unhurried,
  async () => {
    const { breaches, ended, deaths } = await crashRegistrations({ runs: 500, seed: 4_711 })
    expect(breaches).toEqual([])
    expect(ended.completed + ended.rolledBack + ended.parked + ended.unasked).toBe(500)
    expect(deaths).toBeGreaterThan(400)
    expect(ended.unasked).toBe(0)
  },
)

test(
  'in 100 rounds of 2 to 16 identical sign-ups at once, everybody learns of the one there is',
  unhurried,
  async () => {
    const { breaches, requests } = await registerTogether({ rounds: 100, seed: 4_711 })
    expect(breaches).toEqual([])
    expect(requests).toBeGreaterThan(600)
  },
)
