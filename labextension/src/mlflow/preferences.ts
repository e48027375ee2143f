/**
 * What MLflow's pages keep in the browser, set before they are loaded: they have JupyterLab's address, so that it is
 * within reach. The names are MLflow's own (3.17); others than these it does not know and leaves alone.
 */

/** Whether its pages are dark. */
const DARK = '_mlflow_dark_mode_toggle_enabled';

/** What is set where the user has not chosen yet, as JSON. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  // «Model training» rather than «GenAI».
  'mlflow.workflowType_v1': 'machine_learning',
  // The assistant has no need to open itself at the first visit.
  'mlflow.assistant.fab.autoOpenedOnFirstLoad_v1': true
};

/** Make MLflow's pages look as JupyterLab does; null: it has no theme yet, and they stay as they were. */
export function prefer(
  storage: Pick<Storage, 'getItem' | 'setItem'>,
  isDark: boolean | null
): void {
  try {
    if (isDark !== null) {
      storage.setItem(DARK, String(isDark));
    }
    for (const [key, value] of Object.entries(DEFAULTS)) {
      if (storage.getItem(key) === null) {
        storage.setItem(key, JSON.stringify(value));
      }
    }
  } catch {
    // The browser keeps nothing for this page.
  }
}
