import type { Registration } from '@lockstep/sdk'
import { instantText } from './format.ts'
import { bold, dim, green, red, yellow } from './style.ts'
import { table } from './table.ts'

const colors = {
  completed: green,
  running: yellow,
  requiresAction: yellow,
  failed: yellow,
  compensating: yellow,
  rolledBack: red,
  parked: red,
}

type Step = Registration['steps'][number]

/** One registration with the timeline of its steps: what each needs, hands on, and when it came to what. */
export function registrationText(registration: Registration): string {
  const { id, externalId, plan, planVersion, purchase, customer, subscription, state } = registration
  const { action, problem, stage, remains, nextAttemptAt, requestOrigin, tax } = registration
  const lines = [
    `${bold(externalId)} on ${bold(plan)}, version ${planVersion}, as ${purchase}: ${colors[state](state)}`,
    dim(`registration  ${id}`),
    dim(`customer      ${customer}`),
  ]
  if (subscription !== null) lines.push(dim(`subscription  ${subscription}`))
  if (requestOrigin !== null) lines.push(dim(`from          ${requestOrigin}`))
  if (tax) lines.push(taxText(tax))
  if (problem) lines.push(`${red('✗')} ${stage ? `${stage}: ` : ''}${problem.title} ${problem.detail}`)
  if (nextAttemptAt !== null) lines.push(`tried again at ${instantText(nextAttemptAt)}`)
  if (action) lines.push(`the customer has until ${instantText(action.expiresAt)}: ${action.url}`)
  if (remains.length > 0) lines.push(`what remains: ${remains.join(', ')}`)
  return [...lines, '', timeline(registration.steps)].join('\n')
}

/** What nobody could be asked is to be seen: it was sold untaxed. */
function taxText({ provider, status }: NonNullable<Registration['tax']>): string {
  const line = `tax           ${status}, by ${provider}`
  return status === 'unavailable' ? yellow(line) : dim(line)
}

function timeline(steps: readonly Step[]): string {
  return table(steps, [
    { title: 'step', cell: ({ name }) => name },
    { title: 'outcome', cell: ({ state }) => state },
    { title: 'needs', cell: ({ needs }) => needs.join(', ') },
    { title: 'hands on', cell: ({ handsOn }) => handsOn.join(', ') },
    { title: 'started', cell: ({ startedAt }) => textOf(startedAt) },
    { title: 'ended', cell: ({ endedAt }) => textOf(endedAt) },
  ])
}

export function registrationTable(registrations: readonly Registration[]): string {
  return table(registrations, [
    { title: 'customer', cell: ({ externalId }) => externalId },
    { title: 'plan', cell: ({ plan }) => plan },
    { title: 'as', cell: ({ purchase }) => purchase },
    { title: 'state', cell: ({ state }) => colors[state](state) },
    { title: 'at', cell: ({ stage }) => stage ?? '' },
    { title: 'reason', cell: ({ cause, problem }) => cause ?? problem?.code ?? '' },
    { title: 'since', cell: ({ createdAt }) => instantText(createdAt) },
    { title: 'id', cell: ({ id }) => id },
  ])
}

const textOf = (at: string | null) => (at === null ? '–' : instantText(at))
