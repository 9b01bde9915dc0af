import type { EndpointStep } from '@lockstep/core/webhook-endpoint'
import { confirm } from '../confirm.ts'
import { Output } from '../output/output.ts'
import { bold, green, yellow } from '../output/style.ts'
import { UsageError } from '../usage-error.ts'
import { fromService } from './service-package.ts'
import { localEnvironment } from './set-up.ts'

export interface StripeSetupOptions {
  readonly endpoint: string
  readonly rotate?: boolean
  readonly retire?: boolean
  readonly apply?: boolean
  readonly yes?: boolean
}

/** `lockstep stripe setup`: what Stripe shall send here, shown first, then done. */
export async function setUpStripe(options: StripeSetupOptions, { json }: { json: boolean }): Promise<void> {
  const { endpoint: address, rotate, retire, apply = false, yes = false } = options
  if (rotate && retire)
    throw new UsageError('--rotate begins a rotation and --retire ends it.', 'Name one of them.')
  const wish = rotate ? 'rotate' : retire ? 'retire' : 'set up'
  const service = await fromService(() => import('@lockstep/service/set-up-stripe'))
  const environment = localEnvironment(process.env)
  const output = new Output({ json })
  const render = (result: EndpointSetUp) => textOf(result, address)
  if (!apply || !yes) {
    const planned = await service.setUpStripe(environment, { address, wish, apply: false })
    if (!apply) return output.result(planned, render)
    if (!json) output.result(planned, render)
    if (planned.steps.every((step) => step.do === 'keep')) return
    await confirm('Do this?')
  }
  output.result(await service.setUpStripe(environment, { address, wish, apply: true }), render)
}

type EndpointSetUp = Awaited<ReturnType<typeof import('@lockstep/service/set-up-stripe')['setUpStripe']>>

function textOf({ url, applied, steps, secret }: EndpointSetUp, address: string): string {
  const lines = steps.map(
    (step) => `${applied || step.do === 'keep' ? green('✓') : yellow('•')} ${stepText(step)}`,
  )
  if (secret !== null) {
    lines.push(
      '',
      `Its secret, shown once: ${bold(secret)}`,
      '',
      'Put it first in STRIPE_WEBHOOK_SECRET and restart.',
    )
    if (steps.length > 1)
      lines.push(
        'Keep the old one behind it; afterwards end the old endpoint:',
        `lockstep stripe setup --endpoint ${address} --retire --apply`,
      )
  }
  return [bold(url), ...lines].join('\n')
}

function stepText(step: EndpointStep): string {
  if (step.do === 'create') return `create an endpoint: ${step.because}`
  if (step.do === 'retire') return `delete ${step.endpoint.id}: ${step.successor.id} took over from it`
  const { missing, surplus, disabled, otherVersion } = step.difference
  const differences = [
    disabled && 'it is disabled',
    missing.length > 0 && `it does not send ${severalText(missing)}`,
    surplus.length > 0 && `it sends without need ${severalText(surplus)}`,
    otherVersion && `its version is ${otherVersion}, which only --rotate changes`,
  ].filter((one) => typeof one === 'string')
  const what = differences.length === 0 ? 'it sends what is needed' : differences.join('; ')
  return `${step.do} ${step.endpoint.id}: ${what}`
}

const MOST_NAMED = 5

/** A few of them by name; `--json` names all. */
function severalText(types: readonly string[]): string {
  const named = types.slice(0, MOST_NAMED).join(', ')
  return types.length > MOST_NAMED ? `${named} and ${types.length - MOST_NAMED} more` : named
}
