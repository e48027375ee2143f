import { LabIcon } from '@jupyterlab/ui-components';
import mlwsSvg from '../style/icons/mlws.svg';
import submitSvg from '../style/icons/submit.svg';

/** The product: two machines, one of which runs. */
export const mlwsIcon = new LabIcon({
  name: 'jupyter-mlws:mlws',
  svgstr: mlwsSvg
});

/** Run elsewhere: the ▷ of a notebook's toolbar, with an arrow that leads away. */
export const submitIcon = new LabIcon({
  name: 'jupyter-mlws:submit',
  svgstr: submitSvg
});
