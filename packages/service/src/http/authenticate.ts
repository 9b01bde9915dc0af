import { Problem } from '@lockstep/core/problem'
import type { Db } from '../postgres/connect.ts'
import { findCustomer } from '../store/customers.ts'
import { type ApiKeys, hashOf } from './api-key.ts'
import type { Caller, UserCaller } from './caller.ts'
import { looksLikeToken, type UserTokens } from './user-token.ts'

/** Tells who a request comes from, or refuses it. */
export type Authenticator = (authorization: string | undefined) => Promise<Caller>

export interface AuthenticatorParts {
  readonly db: Db
  readonly keys: ApiKeys
  /** Undefined: users are not let in. */
  readonly tokens: UserTokens | undefined
  /** The first seals what a user is answered, any opens it. A token would not do: the next one differs. */
  readonly secrets: readonly string[]
}

const NO_KEY = 'There is no key in the Authorization header. Send `Authorization: Bearer lk_…`.'

/** By an API key, or by a token of the application's own sign-in. */
export function authenticator({ db, keys, tokens, secrets }: AuthenticatorParts): Authenticator {
  async function userOf(token: string, verify: UserTokens): Promise<UserCaller> {
    const externalId = await verify(token)
    const customer = await findCustomer(db, externalId)
    return {
      kind: 'user',
      id: `user_${hashOf(externalId).toString('hex').slice(0, 32)}`,
      externalId,
      customer: customer?.id ?? null,
      secrets: secrets.map((secret) => `${secret}\n${externalId}`),
    }
  }

  return async (authorization) => {
    const secret = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
    if (secret === undefined) throw new Problem('unauthorized', NO_KEY)
    if (tokens && looksLikeToken(secret)) return userOf(secret, tokens)
    const caller = await keys.callerOf(secret)
    if (!caller)
      throw new Problem('unauthorized', 'The key in the Authorization header is unknown or revoked.')
    return caller
  }
}
