import type { Workflows } from '../../src/workflow/workflows.ts'

/** For an answer that says whether Stripe was told meanwhile: these are waited for as long as the machine needs. */
export const patient = (workflows: Workflows): Workflows => ({
  ...workflows,
  settled: (id) => workflows.settled(id, 600),
})
