import type { Provider } from './account.ts'

/**
 * What every object of ours says of itself at Stripe: by it an object is found again when the answer
 * to its creation was lost, and by it two installations on one account leave each other alone.
 */
export function ownMetadata(
  { instance }: Pick<Provider, 'instance'>,
  operation: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return { lockstep_instance: instance, lockstep_operation: operation, ...more }
}

interface WithMetadata {
  readonly metadata?: Readonly<Record<string, string>> | null
}

/** Whether this installation made the object. */
export function isOwn({ instance }: Pick<Provider, 'instance'>, { metadata }: WithMetadata): boolean {
  return metadata?.lockstep_instance === instance
}

/** Whether the object came of this operation of ours. */
export function isOf(provider: Pick<Provider, 'instance'>, operation: string, object: WithMetadata): boolean {
  return isOwn(provider, object) && object.metadata?.lockstep_operation === operation
}
