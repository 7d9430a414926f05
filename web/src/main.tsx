// Where the page begins.

import { render } from 'preact';
import { App } from './app';
import { startKeys } from './keys';
import { startTheme } from './theme';
import './style.css';

startTheme();
startKeys();
const place = document.getElementById('app');
if (place) {
  render(<App />, place);
}
