/** The service is not on the npm registry: it runs from a clone of the repository, or as a container. */
class ServiceMissing extends Error {
  readonly remedy =
    'This command needs the service, which runs from a clone: `git clone`, `npm ci`, `npm start`. All other commands talk to a service that runs elsewhere: --url.'

  constructor(cause: unknown) {
    super('The package @lockstep/service is not installed here.', { cause })
    this.name = 'ServiceMissing'
  }
}

/** Loads a part of the service, or says clearly that it is not here. */
export async function fromService<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (isMissing(error)) throw new ServiceMissing(error)
    throw error
  }
}

function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') return false
  return /'(@lockstep\/service|stripe-simulator)'/.test(error.message)
}
