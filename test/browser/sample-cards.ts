import { approvalPage } from '../../src/broker/pages/approval-page.ts'
import { codePage } from '../../src/broker/pages/code-page.ts'
import { connectorPage } from '../../src/broker/pages/connector-page.ts'
import { passwordPage } from '../../src/broker/pages/password-page.ts'
import { errorPage } from '../../src/http/views/error-page.ts'
import type { Html } from '../../src/http/views/html.ts'
import { confirmSignOutPage, deniedPage, signedOutPage } from '../../src/proxy/pages/notice-pages.ts'
import { signInPage } from '../../src/proxy/pages/sign-in-page.ts'
import { confirmLogoutPage, loggedOutPage, problemPage } from '../../src/realm/pages/info-pages.ts'
import { loginPage } from '../../src/realm/pages/login-page.ts'

const look = { assetsPath: '/gatehouse/static', requestId: '0198e2b4-7c1d-7a53', brandName: 'ML Platform' }
const { assetsPath } = look

const login = {
  realmName: 'prokube',
  clientName: 'Kubeflow',
  action: '/',
  username: '',
  canRemember: true,
  isRemembered: false,
  canUseEmail: true,
  ...look,
}

const realmPages: Readonly<Record<string, Html>> = {
  login: loginPage(login),
  'login-refused': loginPage({ ...login, username: 'ada', error: 'Invalid username or password.' }),
  'login-again': loginPage({ ...login, notice: 'Your login attempt timed out. Login will start from the beginning.' }),
  'realm-problem': problemPage({ ...look, message: 'Invalid parameter: redirect_uri' }),
  'realm-sign-out': confirmLogoutPage({ action: '/', sessionCode: 'x', ...look }),
  'realm-signed-out': loggedOutPage(look),
}

const brokerPages: Readonly<Record<string, Html>> = {
  picker: connectorPage({
    ...look,
    clientName: 'Kubeflow',
    choices: [
      { name: 'Log in with Keycloak', href: '#1' },
      { name: 'Log in with a connector whose name is so long that it takes two lines', href: '#2' },
    ],
  }),
  password: passwordPage({
    ...look,
    action: '/',
    prompt: 'Email Address',
    username: 'ada@example.com',
    error: 'Invalid Email Address and password.',
    backHref: '/',
    clientName: 'Kubeflow',
  }),
  approval: approvalPage({
    ...look,
    action: '/',
    approvalId: 'x',
    username: 'ada@example.com',
    clientName: 'MLflow',
    scopes: ['openid', 'email', 'profile', 'groups', 'offline_access'],
  }),
  code: codePage({ ...look, code: 'hq3yk5hqx3hzrwt4plymlw2ir', clientName: 'example-app' }),
}

const signIn = { startPath: '/oauth2/start', signInPath: '/oauth2/sign_in', target: '/', assetsPath }
const plain = {
  providers: [{ id: 'oidc', name: 'OpenID Connect' }],
  hasPasswordForm: false,
  logo: undefined,
  banner: '',
  footer: '',
}
const several = [
  { id: 'corp', name: 'Example Corporation' },
  { id: 'github', name: 'GitHub' },
  { id: 'google', name: 'Google' },
]

const proxyPages: Readonly<Record<string, Promise<Response>>> = {
  'sign-in': signInPage({ ...signIn, look: plain, status: 403 }),
  'sign-in-branded': signInPage({
    ...signIn,
    look: {
      ...plain,
      providers: [{ id: 'keycloak', name: 'Keycloak' }],
      logo: `${assetsPath}/gatehouse.svg`,
      banner: 'Welcome to <b>the platform</b>.',
      footer: 'Questions? Ask the platform team.',
    },
    status: 403,
  }),
  'sign-in-several': signInPage({ ...signIn, look: { ...plain, providers: several }, status: 403 }),
  'sign-in-password': signInPage({
    ...signIn,
    look: { ...plain, providers: several, hasPasswordForm: true },
    status: 401,
    fault: 'wrong-password',
    username: 'ada',
  }),
  'proxy-signed-out': signedOutPage({ ...signIn, endedAtProvider: false }),
  'proxy-sign-out': confirmSignOutPage({ signOutPath: '/', assetsPath }),
  denied: deniedPage({ ...look, who: 'ada@example.com', why: 'group', signOutPath: '/' }),
}

/** The pages a sign-in goes through, as realm, broker and proxy make them, by name. */
export const signInCards: Readonly<Record<string, Html>> = {
  ...realmPages,
  ...brokerPages,
  ...Object.fromEntries(
    await Promise.all(
      Object.entries(proxyPages).map(
        async ([name, answer]) => [name, (await answer).text() as Promise<never>] as const,
      ),
    ),
  ),
  error: errorPage({
    ...look,
    title: 'Invalid redirect address',
    message:
      'The app “grafana” asked to be sent back to https://grafana.example.com/login/generic_oauth, which is not registered for it.',
    advice: 'Tell the people who run the app. The nearest registered address differs in its scheme.',
    action: { href: '/', text: 'Go to your apps' },
  }),
}
