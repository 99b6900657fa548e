import { addRoute } from './add-route.ts'
import { exemptPath } from './exempt-path.ts'
import { fitRule } from './fit-rule.ts'
import { freshToken } from './fresh-token.ts'
import { grantGroup } from './grant-group.ts'
import { guardPath } from './guard-path.ts'
import type { SuggestionKind } from './kind.ts'
import { letAccountsIn } from './let-accounts-in.ts'
import { otherPath } from './other-path.ts'
import { otherRequest } from './other-request.ts'
import { removeRule } from './remove-rule.ts'
import { signIn } from './sign-in.ts'

/** Every kind of change that is tried, by the name `--json` gives it. */
export const suggestionKinds: Readonly<Record<string, SuggestionKind>> = {
  'sign-in': signIn,
  'fresh-token': freshToken,
  'let-accounts-in': letAccountsIn,
  'grant-group': grantGroup,
  'exempt-path': exemptPath,
  'fit-rule': fitRule,
  'remove-rule': removeRule,
  'other-request': otherRequest,
  'other-path': otherPath,
  'add-route': addRoute,
  'guard-path': guardPath,
}
