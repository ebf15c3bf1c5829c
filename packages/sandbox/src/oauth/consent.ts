import { text } from 'node:stream/consumers'
import type { Interaction, Provider } from 'oidc-provider'
import { scopes } from './options.ts'
import { consentPage, loginPage } from './pages.ts'
import { grantable, type OAuth } from './state.ts'

type Koa = Parameters<Provider['use']>[0]

/** The pages where a person signs in and decides, as a layer before the library. */
export function consentPages(provider: Provider, site: OAuth): Koa {
  return async (ctx, next) => {
    if (!/^\/interaction\/[^/]+$/.test(ctx.path)) return next()
    const interaction = await provider.interactionDetails(ctx.req, ctx.res)
    ctx.type = 'html'
    if (ctx.method === 'GET') {
      ctx.body = String(await shown(provider, interaction, ctx.path))
      return
    }
    const fields = new URLSearchParams(await text(ctx.req))
    const result = await decided(provider, site, interaction, fields)
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result))
    ctx.status = 303
  }
}

async function shown(provider: Provider, { prompt, params }: Interaction, action: string) {
  if (prompt.name === 'login') return loginPage(action)
  const client = await provider.Client.find(String(params.client_id))
  return consentPage(action, client?.clientName ?? String(params.client_id), asked(params))
}

/** Scopes of the API and `offline_access` alike; the person decides on each. */
function asked({ scope }: Interaction['params']): string[] {
  return typeof scope === 'string' ? scope.split(' ') : []
}

/** Sandbox only: everybody is believed whose address it is. */
async function decided(
  provider: Provider,
  site: OAuth,
  { prompt, params, session, grantId }: Interaction,
  fields: URLSearchParams,
): Promise<NonNullable<Parameters<Provider['interactionResult']>[2]>> {
  if (prompt.name === 'login') return { login: { accountId: fields.get('email') ?? '' } }
  if (fields.get('decision') === 'refuse') {
    return { error: 'access_denied', error_description: 'The person refused.' }
  }
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  const grant =
    known ??
    new provider.Grant({
      ...(session === undefined ? {} : { accountId: session.accountId }),
      clientId: String(params.client_id),
    })
  // What was refused before is asked again, and may be given now.
  grant.rejected = undefined
  const may: readonly string[] = grantable(site)
  const isOpen = (scope: string) => may.includes(scope) || !scopes.some((one) => one === scope)
  const chosen = new Set(fields.getAll('scope'))
  const resources = [params.resource ?? []].flat().map(String)
  for (const scope of asked(params)) {
    const give = chosen.has(scope) && isOpen(scope)
    if (give) grant.addOIDCScope(scope)
    else grant.rejectOIDCScope(scope)
    for (const resource of resources) {
      if (give) grant.addResourceScope(resource, scope)
      else grant.rejectResourceScope(resource, scope)
    }
  }
  return { consent: { grantId: await grant.save() } }
}
