import { createRoot } from 'react-dom/client'
import { Chat } from './chat.tsx'

const root = document.getElementById('root')
const saved = await fetch('/api/chat').then((response) => response.json())
if (root) createRoot(root).render(<Chat saved={saved} />)
