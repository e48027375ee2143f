/**
 * The plugins of this extension. Each takes what it needs by token, and what an application may lack as optional.
 */

import { cards, jobs } from './jobs/plugin';
import { commands } from './jobs/commands';
import { mlflow } from './mlflow/plugin';
import { notebook } from './notebook/plugin';
import { panel } from './panel/plugin';

export { IJobs, IJobSelection } from './tokens';

export default [jobs, cards, commands, panel, notebook, mlflow];
