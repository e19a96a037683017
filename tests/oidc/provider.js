// panva's oidc-provider as a local process: `node provider.js PORT`, with the settings as JSON on standard input.
// Whoever names an account is signed in as it; the account's scopes and authority go into the token for the resource.
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { Provider, interactionPolicy } from 'oidc-provider';

const port = Number(process.argv[2]);
const { clients, accounts, resource } = JSON.parse(readFileSync(0, 'utf8'));
const scopes = 'orders:read orders:manage events:write national:read national:inspect operations';
const policy = interactionPolicy.base();
policy.remove('consent');

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: clients.map((client) => ({
    response_types: ['code'], grant_types: ['authorization_code', 'refresh_token'], ...client,
  })),
  pkce: { required: () => true },
  interactions: { policy, url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: ['for tests only'] },
  findAccount: (ctx, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id }) },
  extraTokenClaims: (ctx, token) => ({ authority: accounts[token.accountId]?.authority }),
  loadExistingGrant: async (ctx) => {
    const { accountId } = ctx.oidc.session;
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId });
    grant.addOIDCScope('openid');
    grant.addResourceScope(resource, accounts[accountId].scope);
    await grant.save();
    return grant;
  },
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: scopes, audience: 'payback', accessTokenTTL: 3600, accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});

async function interact(req, res) {
  const { params } = await provider.interactionDetails(req, res);
  if (req.method === 'GET') {
    res.setHeader('content-type', 'text/html');
    res.end(`<title>Provider</title><form method="post"><label>Account <input name="account"></label>
      <button>Continue to ${params.client_id}</button></form>`);
    return;
  }
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const accountId = new URLSearchParams(Buffer.concat(chunks).toString()).get('account');
  await provider.interactionFinished(req, res, { login: { accountId } }, { mergeWithLastSubmission: false });
}

const answer = provider.callback();
http.createServer((req, res) => {
  if (!req.url.startsWith('/interaction/')) { answer(req, res); return; }
  interact(req, res).catch((fault) => { res.statusCode = 400; res.end(String(fault)); });
}).listen(port, '127.0.0.1', () => console.log('ready'));
