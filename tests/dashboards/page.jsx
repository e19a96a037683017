import { createRoot } from 'react-dom/client';
import { CssBaseline, ThemeProvider } from '@mui/material';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { BrowserRouter } from 'react-router-dom';
import { QueryParamProvider } from 'use-query-params';
import { ReactRouter6Adapter } from 'use-query-params/adapters/react-router-6';
import { ChartsProvider, SnackbarProvider, generateChartsTheme, getTheme } from '@perses-dev/components';
import { PluginRegistry, dynamicImportPluginLoader } from '@perses-dev/plugin-system';
import { ViewDashboard } from '@perses-dev/dashboards';
import prometheus from '@perses-dev/prometheus-plugin/package.json';
import lines from '@perses-dev/timeseries-chart-plugin/package.json';
import numbers from '@perses-dev/stat-chart-plugin/package.json';
import table from '@perses-dev/table-plugin/package.json';

const asked = new URLSearchParams(location.search);
const loader = dynamicImportPluginLoader([
  [prometheus, () => import('@perses-dev/prometheus-plugin')],
  [lines, () => import('@perses-dev/timeseries-chart-plugin')],
  [numbers, () => import('@perses-dev/stat-chart-plugin')],
  [table, () => import('@perses-dev/table-plugin')],
].map(([of, importPlugin]) => ({
  resource: { kind: 'PluginModule', metadata: { name: of.name, version: of.version }, spec: of.perses },
  importPlugin,
})));
const source = {
  kind: 'GlobalDatasource',
  metadata: { name: 'prometheus' },
  spec: { default: true, plugin: { kind: 'PrometheusDatasource', spec: { directUrl: asked.get('prometheus'), scrapeInterval: '5s' } } },
};
const sources = {
  getDatasource: async () => undefined,
  listDatasources: async () => [],
  getGlobalDatasource: async () => source,
  listGlobalDatasources: async () => [source],
};
const theme = getTheme('light');
const board = await (await fetch(`/${asked.get('board')}.json`)).json();

createRoot(document.getElementById('root')).render(
  <ThemeProvider theme={theme}>
    <CssBaseline />
    <ChartsProvider chartsTheme={generateChartsTheme(theme, {})}>
      <BrowserRouter>
        <QueryParamProvider adapter={ReactRouter6Adapter}>
          <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { refetchOnWindowFocus: false } } })}>
            <SnackbarProvider>
              <PluginRegistry
                pluginLoader={loader}
                defaultPluginKinds={{ Panel: 'TimeSeriesChart', TimeSeriesQuery: 'PrometheusTimeSeriesQuery' }}
              >
                <ViewDashboard dashboardResource={board} datasourceApi={sources} dashboardTitleComponent={board.spec.display.name} isReadonly isVariableEnabled isDatasourceEnabled={false} />
              </PluginRegistry>
            </SnackbarProvider>
          </QueryClientProvider>
        </QueryParamProvider>
      </BrowserRouter>
    </ChartsProvider>
  </ThemeProvider>,
);
