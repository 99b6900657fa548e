/**
 * AuthorizationPolicy → Envoy RBAC, as istiod compiles it (istio pilot/pkg/security/authz/model). Our own translation:
 * it shares the parser with the product and nothing else.
 */
import type { Condition, ConditionGroup, Rule } from '../../src/policy/authorization-policy.ts'
import { isPathTemplate } from '../../src/policy/path-template.ts'
import type { AppliedRule } from '../../src/policy/policy-set.ts'

type Json = { readonly [name: string]: unknown }

/** An RBAC message: rules by their ids. */
export function rbacRules(action: 'ALLOW' | 'DENY' | 'LOG', rules: readonly AppliedRule[]): Json {
  return { action, policies: Object.fromEntries(rules.map(({ id, rule }) => [id, rbacPolicy(rule)])) }
}

const any: Json = { any: true }
/** Conditions that are Envoy permissions; every other is about who asks and a principal. */
const permissionKeys = /^(not)?(hosts|ports|methods|paths)$|^destination\.|^connection\.sni$/i

function rbacPolicy({ sources, operations, when }: Rule): Json {
  const about = when.filter(({ field }) => permissionKeys.test(field))
  const who = when.filter(({ field }) => !permissionKeys.test(field))
  const each = (groups: readonly ConditionGroup[], more: readonly Condition[]) =>
    groups.length === 0 ? [more] : groups.map(({ conditions }) => [...conditions, ...more])
  return {
    permissions: each(operations, about).map((all) => conjunction(all, 'rules', permission)),
    principals: each(sources, who).map((all) => conjunction(all, 'ids', principal)),
  }
}

function conjunction(
  conditions: readonly Condition[],
  member: 'rules' | 'ids',
  translate: (field: string, condition: Condition) => readonly Json[],
): Json {
  const all = conditions.map((condition) => {
    const field = condition.field.replace(/^not([A-Z])/, (_, first: string) => first.toLowerCase())
    const values = translate(field, condition)
    const either = { [`or_${member}`]: { [member]: values } }
    return condition.isNegated ? { [member === 'rules' ? 'not_rule' : 'not_id']: either } : either
  })
  return { [`and_${member}`]: { [member]: all.length === 0 ? [any] : all } }
}

function permission(field: string, { values }: Condition): readonly Json[] {
  return values.map((value): Json => {
    switch (field) {
      case 'hosts':
        return { header: headerMatch(':authority', value, { ignore_case: true }) }
      case 'methods':
        return { header: headerMatch(':method', value) }
      case 'paths':
        return isPathTemplate(value) ? pathTemplate(value) : { url_path: { path: textMatch(value) } }
      case 'ports':
      case 'destination.port':
        return { destination_port: Number(value) }
      case 'destination.ip':
        return { destination_ip: addressRange(value) }
      case 'connection.sni':
        return { requested_server_name: textMatch(value) }
      default:
        throw new Error(`no translation for ${field}`)
    }
  })
}

function principal(field: string, { values, argument }: Condition): readonly Json[] {
  if (field.startsWith('request.auth.claims')) return [claimMatch(argument.slice(1, -1).split(']['), values)]
  if (field.startsWith('request.headers')) return values.map((value) => ({ header: headerMatch(argument, value) }))
  switch (field) {
    case 'request.auth.audiences':
      return [claimMatch(['aud'], values)]
    case 'request.auth.presenter':
      return [claimMatch(['azp'], values)]
    case 'requestPrincipals':
    case 'request.auth.principal':
      return values.map(requestPrincipal)
    case 'ipBlocks':
    case 'source.ip':
      return values.map((value) => ({ direct_remote_ip: addressRange(value) }))
    case 'remoteIpBlocks':
    case 'remote.ip':
      return values.map((value) => ({ remote_ip: addressRange(value) }))
    default:
      return values.map((value) => ({ authenticated: { principal_name: meshIdentity(field, value) } }))
  }
}

function meshIdentity(field: string, value: string): Json {
  if (/namespace/i.test(field)) return regex(`.*/ns/${value.replaceAll('*', '.*')}/.*`)
  if (/serviceAccount/i.test(field)) return regex(`spiffe://.+/ns/${value.replace('/', '/(.+/|)sa/')}(/.+)?`)
  if (/trustDomain/i.test(field)) return regex(`spiffe://${value.replaceAll('*', '.*')}/.*`)
  if (value === '*' || value.startsWith('*')) return textMatch(value)
  return textMatch(`spiffe://${value}`)
}

function requestPrincipal(value: string): Json {
  const slash = value.lastIndexOf('/')
  const [iss, sub] = slash < 0 ? [value, ''] : [value.slice(0, slash), value.slice(slash + 1)]
  const both = (issuer: Json, subject: Json): Json => ({
    and_ids: { ids: [claimText(['iss'], issuer), claimText(['sub'], subject)] },
  })
  if (value === '*') return both(regex('.+'), regex('.+'))
  if (value.startsWith('*')) {
    if (slash < 0) return both(regex('.+'), { suffix: value.slice(1) })
    return both(iss === '*' ? regex('.+') : { suffix: iss.slice(1) }, { exact: sub })
  }
  if (value.endsWith('*')) {
    if (slash < 0) return both({ prefix: value.slice(0, -1) }, regex('.+'))
    return both({ exact: iss }, sub === '*' ? regex('.+') : { prefix: sub.slice(0, -1) })
  }
  return both({ exact: iss }, { exact: sub })
}

const verified = 'envoy.filters.http.jwt_authn'

function claimText(path: readonly string[], match: Json): Json {
  return { metadata: { filter: verified, path: keys(['payload', ...path]), value: { string_match: match } } }
}

/** A claim that is a text which matches, or a list with one. */
function claimMatch(path: readonly string[], values: readonly string[]): Json {
  const texts = values.map((value) => ({ string_match: textMatch(value) }))
  const lists = values.map((value) => ({ list_match: { one_of: { string_match: textMatch(value) } } }))
  const value = { or_match: { value_matchers: [...texts, ...lists] } }
  return { metadata: { filter: verified, path: keys(['payload', ...path]), value } }
}

function keys(path: readonly string[]) {
  return path.map((key) => ({ key }))
}

function textMatch(value: string): Json {
  if (value === '*') return regex('.+')
  if (value.startsWith('*')) return { suffix: value.slice(1) }
  if (value.endsWith('*')) return { prefix: value.slice(0, -1) }
  return { exact: value }
}

function headerMatch(name: string, value: string, more: Json = {}): Json {
  return value === '*' ? { name, present_match: true } : { name, string_match: { ...textMatch(value), ...more } }
}

function regex(text: string): Json {
  return { safe_regex: { regex: text } }
}

function addressRange(value: string): Json {
  const [address, bits] = value.split('/')
  return { address_prefix: address, prefix_len: bits === undefined ? (value.includes(':') ? 128 : 32) : Number(bits) }
}

function pathTemplate(value: string): Json {
  const config = {
    '@type': 'type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
    path_template: value.replaceAll('{**}', '**').replaceAll('{*}', '*'),
  }
  return { uri_template: { name: 'uri-template', typed_config: config } }
}
