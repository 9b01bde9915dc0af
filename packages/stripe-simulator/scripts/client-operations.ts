import Stripe from 'stripe'
import type { ClientOperation } from '../src/http/gaps.ts'

type Methods = Record<string, (...args: unknown[]) => Promise<unknown>>

/**
 * Every operation that the installed `stripe` package publishes, by name. The package has no table of them:
 * each method is called with the names of its own ids, and the request that it would send is written down.
 */
export async function clientOperations(): Promise<ClientOperation[]> {
  const found: ClientOperation[] = []
  const seen = new Set<object>()
  for (const [resource, object] of resourcesOf(new Stripe('sk_test_coverage'), '')) {
    // `account` is `accounts` under its older name.
    if (seen.has(object)) continue
    seen.add(object)
    for (const verb of verbsOf(object)) {
      for (const { method, path } of await requestsOf(object, verb)) {
        found.push({ name: `${resource}.${verb}`, method, path })
      }
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function isResource(node: object): boolean {
  return node instanceof Stripe.StripeResource
}

/** The resources below `node` by their dotted names: in namespaces such as `billing`, and in other resources. */
function* resourcesOf(node: object, prefix: string): Generator<[name: string, resource: object]> {
  for (const [key, value] of Object.entries(node)) {
    if (key.startsWith('_') || key === 'stripe' || typeof value !== 'object' || value === null) continue
    const name = prefix === '' ? key : `${prefix}.${key}`
    if (isResource(value)) yield [name, value]
    if (isResource(value) || 'stripe' in value) yield* resourcesOf(value, name)
  }
}

function verbsOf(resource: object): string[] {
  return Object.getOwnPropertyNames(Object.getPrototypeOf(resource)).filter(
    (name) =>
      name !== 'constructor' && !name.startsWith('_') && typeof (resource as Methods)[name] === 'function',
  )
}

async function requestsOf(resource: object, verb: string): Promise<{ method: string; path: string }[]> {
  const requests: { method: string; path: string }[] = []
  const recorder = Object.create(resource) as Methods & { _makeRequest: unknown }
  recorder._makeRequest = (method: string, path: string) => {
    requests.push({ method, path: decodeURIComponent(path) })
    return Promise.resolve({})
  }
  const method = recorder[verb] as Methods[string]
  await method.call(recorder, ...parametersOf(method).map((name) => (name === 'params' ? {} : `:${name}`)))
  return requests
}

/** The names of a method's parameters, without the options that do not change the path. */
function parametersOf(method: Methods[string]): string[] {
  const [, list = ''] = /\(([^)]*)\)/.exec(method.toString()) ?? []
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'options')
}
